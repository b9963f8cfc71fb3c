-- Takes events: creates and amends orders with their planned reminders, and ends them.
-- uses: args lane orders queues endings seen intake
-- head: now:number actor:string? retention:number shops:list
-- shop: name:string key:key due:list status:list seen_timer:string seen_until:number buckets:list
-- item: event:string seen:string digest:string type:string time:number shop:number order:string order_key:key facts_key:key timer:string rev:number?
-- facts: shop_rev:number customer:string facts:string closes:number plan:list details:string
-- plan: moment:number due:number? channel:string? reason:string? policy:number details:string
-- reply: for each item MessagePack {status, reminders, stopped, too_late}; status is accepted | duplicate | stale | reused | new | customer_differs | policy_changed | conflict
local replies = {}
for i, event in ipairs(ITEMS) do check_event(i, event) end
for shop in pairs(ids) do read_answers(shop) end
for i, event in ipairs(ITEMS) do
  local shop = HEAD.shops[event.shop]
  local reply = remembered(shop, event)
  if not reply then
    if event.type == 'probe' then
      reply = {status = 'new'}
    elseif ENDS[event.type] then
      reply = finish(shop, event, ENDS[event.type])
    else
      reply = accept(shop, event)
    end
    remember(shop, event, reply)
  end
  replies[i] = cmsgpack.pack(reply)
end
save_answers()
in_chunks('ZADD', TIMERS, timers_set)
save_orders()
save_queues()
close_lane()
return replies
