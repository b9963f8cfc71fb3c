-- Takes events: creates and amends orders with their planned reminders, ends them, and notes what customers say.
-- uses: args lane texts orders ledgers customers queues others endings plans seen timers said hand intake
-- head: now:number actor:string? retention:number customer_prefix:string customer_kept:number ledger_prefix:string order_prefix:string unpaid_prefix:string shops:list
-- shop: name:string key:key due:list status:list seen_timer:string customer_timer:string seen_until:number buckets:list
-- item: event:string seen:string digest:string type:string time:number shop:number rev:number?
-- of_order: order:string order_key:key facts_key:key timer:string
-- of_hand: channel:string handed:number agent:string? person:string? shared:key? shop_rev:number? details:string
-- of_customer: customer:string customer_key:key channel:string? details:string
-- ending: details:string
-- facts: shop_rev:number customer:string facts:string closes:number plan:list details:string
-- plan: moment:number due:number? channel:string? reason:string? policy:number details:string
-- reply: for each item MessagePack {status, reminders, stopped, too_late, carriers}; status is accepted | duplicate | stale | reused | new | customer_differs | policy_changed | conflict | unknown | full
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
    elseif SAYS[event.type] then
      reply = say(shop, event)
    elseif event.type == 'order.reminded' then
      reply = reminded(shop, event)
    else
      reply = accept(shop, event)
    end
    remember(shop, event, reply)
  end
  replies[i] = cmsgpack.pack(reply)
end
save_answers()
save_timers()
save_customers()
save_ledgers()
save_orders()
save_queues()
close_lane()
return replies
