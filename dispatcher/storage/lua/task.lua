-- Ends an agent's hold of a claimed task: the call was made and had an outcome, or it was not and others may make it.
-- Who repeats that is answered the same, and nothing changes.
-- uses: args lane texts orders ledgers queues tokens attempts endings blocked results
-- head: now:number actor:string shops:list
-- shop: name:string key:key due:list status:list
-- item: kind:string reminder:string order:string shop:number order_key:key step:number agent:string result:string? why:string? said:number? details:string ledger:key person:string? address:string? addresses:key? about:string? told:string?
-- reply: for each item: completed | released | lost
check_items()
for i, item in ipairs(ITEMS) do
  if item.kind ~= 'completed' and item.kind ~= 'released' then refuse('item ' .. i .. '.kind: unknown') end
  if item.kind == 'completed' and not item.result then refuse('item ' .. i .. '.result: expected for completed') end
  if item.kind == 'completed' then check_result(i, item) end
end

local function repeated(item, step)
  if item.kind == 'released' then return step.released == item.agent end
  return step.status == 'completed' and step.agent == item.agent and step.result == item.result
    and step.why == item.why and step.said == item.said
end

local replies = {}
for i, item in ipairs(ITEMS) do
  local shop, order, step = HEAD.shops[item.shop], find(item)
  if step and repeated(item, step) then
    replies[i] = item.kind
  elseif not step or step.status ~= 'claimed' or step.agent ~= item.agent then
    replies[i] = 'lost'
  else
    if item.kind == 'completed' then
      move(shop, step, item.reminder, 'completed')
      step.result, step.why, step.said = item.result, item.why, item.said
    else
      move(shop, step, item.reminder, 'open')
      free_slot(KEYS[item.ledger], item.reminder)
      step.handed, step.agent, step.valid_until, step.released = nil, nil, nil, item.agent
      step.called, step.masked = nil, nil
      wait(shop, step, item.reminder)
    end
    store_order(KEYS[item.order_key], order)
    local seen = item.kind == 'completed' and seen_of_result(item) or nil
    audit('task.' .. item.kind, about(shop, item.order, order, item.step,
      {channel = step.channel, attempt = step.attempt}), item.details, seen)
    if item.kind == 'completed' then follow_result(shop, item, order, step) end
    replies[i] = item.kind
  end
end
save_ledgers()
save_orders()
save_queues()
close_lane()
return replies
