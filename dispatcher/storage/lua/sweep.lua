-- Ends leases that ran out: what was being sent is uncertain and never sent again; the rest is decided anew, unless
-- it was leased too often without a commit.
-- uses: args lane orders queues attempts
-- head: now:number shops:list max_leases:number
-- shop: name:string key:key due:list
-- item: reminder:string order:string shop:number order_key:key step:number
-- reply: for each item: uncertain | back | failed | gone
check_items()
local replies = {}
for i, item in ipairs(ITEMS) do
  local shop, order, step = HEAD.shops[item.shop], find(item)
  if not step or not step.lease_end then
    redis.call('ZREM', LEASES, item.reminder)
    replies[i] = 'gone'
  elseif step.lease_end > now then
    replies[i] = 'gone'
  else
    if step.status == 'sending' then
      finish_lease(step, item.reminder, 'uncertain')
      move(step, 'uncertain')
      audit('reminder.uncertain', about(shop, item.order, order, item.step,
        {channel = step.channel, attempt = step.attempt, reason = 'internal'}))
      replies[i] = 'uncertain'
    elseif (step.leases or 0) >= HEAD.max_leases then
      give_up(shop, item, order, step, item.reminder)
      replies[i] = 'failed'
    else
      put_back(shop, step, item.reminder, 'lost')
      replies[i] = 'back'
    end
    store_order(KEYS[item.order_key], order)
  end
end
save_orders()
save_queues()
close_lane()
return replies
