-- Ends leases that ran out: what was being sent is uncertain and never sent again; the rest is decided anew, unless
-- it was leased too often without a commit.
-- uses: args lane texts orders ledgers queues tokens attempts
-- head: now:number shops:list max_leases:number
-- shop: name:string key:key due:list status:list
-- item: reminder:string order:string shop:number order_key:key step:number person:string?
-- reply: for each item: uncertain | back | failed | gone
check_items()
local replies = {}
for i, item in ipairs(ITEMS) do
  local shop, order, step = HEAD.shops[item.shop], find(item)
  local lease_end = tokens[item.reminder]
  if not step or not lease_end then
    redis.call('ZREM', LEASES, item.reminder)
    replies[i] = 'gone'
  elseif lease_end > now then
    replies[i] = 'gone'
  elseif step.status ~= 'sending' and not WAITING[step.status] then
    redis.call('ZREM', LEASES, item.reminder) -- it ended otherwise, and should not have been due
    replies[i] = 'gone'
  else
    if step.status == 'sending' then
      finish_lease(step, item.reminder, 'lost')
      move(shop, step, item.reminder, 'uncertain')
      audit('reminder.uncertain', about(shop, item.order, order, item.step,
        {channel = step.channel, attempt = step.attempt, reason = 'internal'}))
      replies[i] = 'uncertain'
    else
      replies[i] = let_go(shop, item, order, step, 'lost') == 'failed' and 'failed' or 'back'
    end
    store_order(KEYS[item.order_key], order)
  end
end
save_orders()
save_queues()
close_lane()
return replies
