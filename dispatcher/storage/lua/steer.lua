-- Steers single reminders by hand: ends one that waits, or moves one that is planned to another time. One that changed
-- since it was read is left alone.
-- uses: args lane texts orders queues tokens attempts endings
-- head: now:number actor:string shops:list
-- shop: name:string key:key due:list status:list
-- item: kind:string reminder:string order:string shop:number order_key:key step:number rev:number was:number due:number? details:string
-- reply: for each item: dropped | moved | changed | lost
local MOVES_TO = {send_now = 'operator.sent_now', postpone = 'operator.postponed'}
check_items()
for i, item in ipairs(ITEMS) do
  if item.kind ~= 'cancel' and not MOVES_TO[item.kind] then refuse('item ' .. i .. '.kind: unknown') end
  if item.kind ~= 'cancel' and not item.due then refuse('item ' .. i .. '.due: expected for ' .. item.kind) end
end

local replies = {}
for i, item in ipairs(ITEMS) do
  local shop, order, step = HEAD.shops[item.shop], find(item)
  if not step or not WAITING[step.status] or (item.kind ~= 'cancel' and step.status ~= 'planned') then
    replies[i] = 'lost'
  elseif order.rev ~= item.rev or step.due ~= item.was then
    replies[i] = 'changed'
  elseif item.kind == 'cancel' then
    drop_waiting(shop, item.order, order, item.step, 'operator', item.details)
    replies[i] = 'dropped'
  else
    withdraw(shop, step, item.reminder)
    step.due, step.steered = item.due, true
    step.kept_until = item.kind == 'postpone' and item.due or nil
    wait(shop, step, item.reminder)
    audit(MOVES_TO[item.kind], about(shop, item.order, order, item.step,
      {channel = step.channel, attempt = step.attempt, reason = 'operator'}), item.details)
    replies[i] = 'moved'
  end
  if replies[i] == 'dropped' or replies[i] == 'moved' then store_order(KEYS[item.order_key], order) end
end
save_orders()
save_queues()
close_lane()
return replies
