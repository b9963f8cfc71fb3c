-- What an event does to its order.
local ENDS = {['order.paid'] = 'paid', ['order.cancelled'] = 'cancelled'}

-- Whose slot a reported hand-off takes: the customer's own, or the one of all who share the number.
local function ledger_of_hand(shop, event, order)
  return event.shared and KEYS[event.shared] or HEAD.ledger_prefix .. shop.name .. '~' .. order.customer
end

-- Refuses what accept() and finish() could trip over, and reads the order, before anything is written.
local function check_event(i, event)
  local where = 'item ' .. TEXTS[i]
  local shop = HEAD.shops[event.shop]
  if shop == nil then refuse(where .. '.shop: expected the number of a shop') end
  ids[shop], answered[shop] = ids[shop] or {}, answered[shop] or {}
  table.insert(ids[shop], event.seen)
  if event.type == 'probe' then return end
  if SAYS[event.type] then
    check(where, event, 'of_customer')
    if event.channel and not known(shop, event.channel) then refuse(where .. '.channel: unknown') end
    need_customer(KEYS[event.customer_key])
    return
  end
  check(where, event, 'of_order')
  local order = load_order(KEYS[event.order_key])
  if event.type == 'order.reminded' then
    check(where, event, 'of_hand')
    if not known(shop, event.channel) then refuse(where .. '.channel: unknown') end
    if order and order.customer then slots(ledger_of_hand(shop, event, order)) end
    return
  end
  if ENDS[event.type] then return check(where, event, 'ending') end
  check(where, event, 'facts')
  for n, plan in ipairs(event.plan) do
    local of_plan = where .. '.plan ' .. TEXTS[n]
    check(of_plan, plan, 'plan')
    check_plan(of_plan, shop, plan)
  end
end

local function plan_step(shop, event, order, number, plan)
  local step = order.steps[number]
  if step and (step.status ~= 'planned' or step.moment == plan.moment) then return end
  put_plan(shop, event.order, order, number, plan)
end

-- An unpaid order, new or amended.
local function accept(shop, event)
  local key = KEYS[event.order_key]
  local order = load_order(key)
  if event.shop_rev ~= shop.rev then return {status = 'policy_changed'} end
  if event.rev and event.rev ~= (order and order.rev or 0) then return {status = 'conflict'} end
  local kind = 'order.amended'
  if order == nil or order.customer == nil then
    kind = 'order.accepted'
    order = order or {state = 'unpaid', rev = 0, steps = {}}
  elseif order.customer ~= event.customer then
    return {status = 'customer_differs'}
  elseif order.state ~= 'unpaid' or event.time < order.time then
    return {status = 'stale', reminders = #order.steps}
  end
  local ended = order.time -- where it was paid or cancelled before it is known
  order.rev, order.time, order.closes = order.rev + 1, event.time, event.closes
  order.customer = event.customer
  if kind == 'order.accepted' and order.state == 'unpaid' then note_unpaid(shop, event.order, order) end
  store_order(key, order)
  put(KEYS[event.facts_key], event.facts)
  audit(kind, of_order(shop, event.order, order), event.details,
    '{"event":' .. cjson.encode(event.event) .. ',"revision":' .. order.rev .. ',"state":"' .. order.state .. '"}')
  if order.state == 'paid' then note_payment(shop, order.customer, ended) end
  if order.state == 'unpaid' then
    set_timer(order.closes, event.timer)
    for number, plan in ipairs(event.plan) do plan_step(shop, event, order, number, plan) end
  end
  return {status = 'accepted', reminders = #order.steps}
end

-- A reminder that an agent has sent already: it is a fact, and takes its slot whatever the caps say.
local function reminded(shop, event)
  local order = load_order(KEYS[event.order_key])
  if not order or not order.customer then return {status = 'unknown'} end
  if #order.steps >= MOST_STEPS then return {status = 'full'} end
  if event.shop_rev and event.shop_rev ~= shop.rev then return {status = 'policy_changed'} end
  if event.rev and event.rev ~= order.rev then return {status = 'conflict'} end
  add_hand_off(shop, event.order, order, ledger_of_hand(shop, event, order),
    {id = event.seen, handed = event.handed, channel = event.channel, agent = event.agent, details = event.details},
    '{"event":' .. cjson.encode(event.event) .. '}')
  order.steps[#order.steps].person = event.person
  store_order(KEYS[event.order_key], order)
  return {status = 'accepted', reminders = #order.steps}
end

-- An order that is paid or cancelled: what waits is stopped, what was handed over is named.
local function finish(shop, event, state)
  local key = KEYS[event.order_key]
  local order = load_order(key) or {state = 'unpaid', rev = 0, time = event.time, steps = {}}
  local stopped, too_late, stopped_ids, too_late_ids, carriers = {}, {}, {}, {}, nil
  for number, step in ipairs(order.steps) do
    local id = reminder_id(shop, event.order, number)
    if WAITING[step.status] then
      stopped[#stopped + 1], stopped_ids[#stopped_ids + 1] = number, id
    elseif HANDED_OVER[step.status] then
      too_late[#too_late + 1], too_late_ids[#too_late_ids + 1] = number, id
    elseif step.carrier then
      carriers = carriers or {}
      carriers[#carriers + 1], too_late_ids[#too_late_ids + 1] = step.carrier, step.carrier
    end
  end
  audit(event.type, of_order(shop, event.order, order), event.details,
    '{"event":' .. cjson.encode(event.event) .. ',"stopped":' .. json_list(stopped_ids) .. ',"too_late":' .. json_list(too_late_ids) .. '}')
  if order.state == 'unpaid' then forget_unpaid(shop, event.order, order) end
  if order.state == 'unpaid' or order.state == 'closed' then
    order.state, order.rev = state, order.rev + 1
    if state == 'paid' and order.customer then note_payment(shop, order.customer, event.time) end
    set_timer(math.max(now, order.closes or 0) + HEAD.retention, event.timer)
  end
  store_order(key, order)
  end_steps(shop, event.order, order, state)
  return {status = 'accepted', reminders = #order.steps, stopped = stopped, too_late = too_late, carriers = carriers}
end
