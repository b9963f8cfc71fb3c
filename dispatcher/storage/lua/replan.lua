-- Moves waiting reminders to where the policy in force plans them, and drops what it would not send, by its reason;
-- one that changed since it was read is left alone.
-- uses: args lane texts orders queues plans
-- head: now:number actor:string shops:list
-- shop: name:string key:key due:list status:list
-- item: order:string step:number shop:number order_key:key rev:number shop_rev:number was:number moment:number due:number? channel:string? reason:string? policy:number details:string
-- reply: for each item: moved | dropped | changed
local replies = {}
for i, item in ipairs(ITEMS) do
  local shop = HEAD.shops[item.shop]
  if shop == nil then refuse('item ' .. i .. '.shop: expected the number of a shop') end
  check_plan('item ' .. i, shop, item)
  load_order(KEYS[item.order_key])
end
for i, item in ipairs(ITEMS) do
  local shop, key = HEAD.shops[item.shop], KEYS[item.order_key]
  local order = load_order(key)
  local step = order and order.steps[item.step]
  local holds = step and order.state == 'unpaid' and order.rev == item.rev and shop.rev == item.shop_rev
    and used(order, item.step) == 0
  if not (holds and step.status == 'planned' and step.due == item.was) then
    replies[i] = 'changed'
  else
    put_plan(shop, item.order, order, item.step, item)
    store_order(key, order)
    replies[i] = item.reason and 'dropped' or 'moved'
  end
end
save_orders()
save_queues()
close_lane()
return replies
