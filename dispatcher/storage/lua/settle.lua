-- Records what became of hand-offs. A slot is given back only when nothing was handed over.
-- uses: args lane texts orders ledgers queues tokens attempts incentives merge late settle
-- head: now:number actor:string? shops:list order_prefix:string
-- shop: name:string key:key due:list status:list
-- item: outcome:string reminder:string order:string shop:number order_key:key step:number token:number ledger:key details:string? channel:string? due:number? reason:string? handed:number? tried:list? pool:string? pools:key? back:number? back_details:string? person:string?
-- reply: for each item: settled | lost
check_items()
for i, item in ipairs(ITEMS) do
  check_outcome(i, item)
  load_carried(select(2, find(item)) or NONE)
end
local replies, settled = {}, {}
for i, item in ipairs(ITEMS) do
  local shop, order, step = HEAD.shops[item.shop], find(item)
  if step and step.settled == item.token then
    replies[i] = 'settled'
  elseif not step or step.status ~= 'sending' or tokens[item.reminder] ~= item.token then
    replies[i] = 'lost'
  else
    SETTLE[item.outcome](shop, item, order, step)
    settled[#settled + 1] = item.reminder
    step.settled, tokens[item.reminder] = item.token, nil
    store_order(KEYS[item.order_key], order)
    replies[i] = 'settled'
  end
end
in_chunks('ZREM', LEASES, settled)
save_ledgers()
save_orders()
save_queues()
close_lane()
return replies
