-- Takes new orders as texts that are made already, where nothing is known yet of the event, the order or another unpaid
-- order of its customer, and the shop's revision is the one they were planned at; all others are left to intake.lua.
-- uses: args lane texts orders others queues seen timers rows
-- head: now:number actor:string? shops:list order_prefix:string facts_prefix:string unpaid_prefix:string
-- shop: name:string key:key due:list status:list order_timer:string seen_timer:string seen_until:number buckets:list
-- row: shop:number order:string customer:string seen:string answer:string shop_rev:number policy:number closes:number text:string facts:string details:string told:string channel:string due:number plan:string next_channel:string next_due:number next_plan:string
-- reply: the numbers of the rows that were left
local keys, unpaid = {}, {}
for_rows(function(n, at, ...)
  check_row(n, ...)
  local number, order, customer, id, _, _, _, _, _, _, _, _, channel, _, _, next_channel = ...
  local shop = HEAD.shops[number]
  if shop == nil then refuse('row ' .. n .. '.shop: expected the number of a shop') end
  if not known(shop, channel) then refuse('row ' .. n .. '.channel: unknown') end
  if next_channel ~= '' and not known(shop, next_channel) then refuse('row ' .. n .. '.next_channel: unknown') end
  ids[shop], answered[shop] = ids[shop] or {}, answered[shop] or {}
  table.insert(ids[shop], id)
  keys[n], unpaid[n] = HEAD.order_prefix .. shop.name .. '~' .. order, unpaid_key(shop, customer)
  return at
end)
for shop in pairs(ids) do read_answers(shop) end
read_ahead(keys)
local known_customers = exist(unpaid)
local function planned(shop, order, customer, step, channel, due, policy, records, details)
  append('reminder.planned', shop.name, order, customer, step, nil, channel, '', policy, '', '', details)
  count('kind|reminder.planned|' .. channel .. '|', 1)
  wait_for(shop, channel, due, reminder_id(shop, order, step))
  return with_record(records)
end
local ACCEPTED = 'order.accepted'
local left, taken = {}, 0
for_rows(function(n, at, number, order, customer, id, answer, shop_rev, policy, closes, text, facts, details, told, channel, due, plan, next_channel, next_due, next_plan)
  local shop = HEAD.shops[number]
  if shop.rev ~= shop_rev or answered[shop][id] or read(keys[n]) or known_customers[unpaid[n]] then
    left[#left + 1] = n
    return at
  end
  append(ACCEPTED, shop.name, order, customer, nil, nil, '', '', nil, '', told, details)
  local records = planned(shop, order, customer, 1, channel, due, policy, with_record(''), plan)
  if next_channel ~= '' then
    records = planned(shop, order, customer, 2, next_channel, next_due, policy, records, next_plan)
  end
  swap(keys[n], text .. records)
  put(HEAD.facts_prefix .. shop.name .. '~' .. order, facts)
  redis.call('RPUSH', unpaid[n], order)
  known_customers[unpaid[n]] = true
  set_timer(closes, shop.order_timer .. order)
  answered[shop][id] = {}
  remember_text(shop, id, answer)
  taken = taken + 1
  return at
end)
if taken > 0 then count('kind|' .. ACCEPTED .. '||', taken) end
save_answers()
save_timers()
save_orders()
save_queues()
close_lane()
return left
