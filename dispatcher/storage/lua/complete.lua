-- Completes claimed tasks with their outcome.
-- uses: args lane orders queues attempts
-- head: now:number actor:string shops:list
-- shop: name:string key:key due:list
-- item: reminder:string order:string shop:number order_key:key step:number details:string
-- reply: for each item: completed | lost
check_items()
local replies = {}
for i, item in ipairs(ITEMS) do
  local shop, order, step = HEAD.shops[item.shop], find(item)
  if step and allowed(step, 'completed') then
    move(step, 'completed')
    store_order(KEYS[item.order_key], order)
    audit('task.completed', about(shop, item.order, order, item.step,
      {channel = step.channel, attempt = step.attempt}), item.details)
    replies[i] = 'completed'
  else
    replies[i] = 'lost'
  end
end
save_orders()
close_lane()
return replies
