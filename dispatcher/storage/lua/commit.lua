-- Records decisions about leased reminders, and a person's claim of an open task. A hand-off is taken only if all
-- it was decided on still holds; else the reminder is put back to be decided again. Repeating gives the same answer.
-- uses: args lane texts orders ledgers customers queues tokens attempts incentives merge pace commit hand asked
-- head: now:number actor:string? shops:list max_leases:number order_prefix:string
-- shop: name:string key:key due:list status:list
-- item: kind:string reminder:string order:string shop:number order_key:key step:number token:number? rev:number shop_rev:number policy:number details:string channel:string? due:number? reason:string? ledger:key? text_key:key? text:string? template:string? valid_until:number? day_start:number? day_end:number? per_day:number? min_gap:number? per_order:number? handed:number? tried:list? agent:string? customer_key:key? customer_rev:number? pool:string? pools:key? quantity:number? per_customer:number? offer_ends:number? id:string? carries:list? person:string? per_channel:number? max_open:number? pace:number? pace_key:key? called:string? masked:string?
-- carry: order:string step:number rev:number due:number
-- reply: for each item: committed | changed | lost | failed
local customer_keys = {}
for _, item in ipairs(ITEMS) do customer_keys[#customer_keys + 1] = KEYS[item.customer_key] end
check_items(customer_keys)
for i, item in ipairs(ITEMS) do check_commit(i, item) end
local replies = {}
for i, item in ipairs(ITEMS) do
  local shop, order, step = HEAD.shops[item.shop], find(item)
  if item.kind == 'hand' then
    replies[i] = commit_hand(shop, item)
  elseif step and item.token and step.answered == item.token then
    replies[i] = step.answer
  elseif step and item.kind == 'claim' and step.status == 'claimed' and step.agent == item.agent then
    replies[i] = 'committed'
  elseif not step or not holds(item, step) then
    replies[i] = 'lost'
  else
    replies[i] = COMMIT[item.kind](shop, item, order, step)
    store_order(KEYS[item.order_key], order)
  end
end
save_ledgers()
save_orders()
save_queues()
close_lane()
return replies
