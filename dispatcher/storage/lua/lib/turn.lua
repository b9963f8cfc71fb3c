-- One timer's turn.
local ledgers_of = {}
local function check_timer(i, item)
  local where = 'item ' .. i
  if HEAD.shops[item.shop] == nil then refuse(where .. '.shop: expected the number of a shop') end
  if item.customer and item.customer_key then
    need_customer(KEYS[item.customer_key])
  elseif not item.seen_key and not (item.order and item.order_key) then
    refuse(where .. ': expected order, seen_key or customer')
  end
  for _, key in ipairs(item.erase or {}) do
    if not is_key(key) then refuse(where .. '.erase: expected keys') end
  end
  ledgers_of[item] = item.shared or {}
  table.insert(ledgers_of[item], item.ledger)
  for _, key in ipairs(ledgers_of[item]) do
    if not is_key(key) then refuse(where .. '.shared: expected keys') end
    slots(KEYS[key])
  end
  if item.order_key then load_order(KEYS[item.order_key]) end
end

-- Whether an order must stay: a step is under way, or a hand-off still counts in its customer's ledger.
local function needed(order)
  for _, step in ipairs(order.steps) do
    if not FINAL[step.status] or (step.handed and step.handed + HEAD.slot_kept > now) then return true end
  end
  return false
end

local function close(shop, item, order)
  order.state, order.rev = 'closed', order.rev + 1
  forget_unpaid(shop, item.order, order)
  store_order(KEYS[item.order_key], order)
  audit('order.closed', of_order(shop, item.order, order, {reason = 'closed'}))
  end_steps(shop, item.order, order, 'closed')
  redis.call('ZADD', TIMERS, now + HEAD.retention, item.timer)
  return 'closed'
end

local function retire(shop, item, order)
  for number, step in ipairs(order.steps) do
    local id = reminder_id(shop, item.order, number)
    for _, key in ipairs(ledgers_of[item]) do free_slot(KEYS[key], id) end
    if INDEXED[step.status] then redis.call('ZREM', KEYS[shop.status[step.status]], id) end
  end
  for _, key in ipairs(item.erase or {}) do redis.call('DEL', KEYS[key]) end
  redis.call('DEL', KEYS[item.order_key])
  orders[KEYS[item.order_key]] = nil
  redis.call('ZREM', TIMERS, item.timer)
  audit('order.retired', {shop = shop.name, order = item.order, customer = order.customer})
  return 'retired'
end

-- Replies and payments are so old that no decision looks at them; an opt-out and a pause stay.
local function forget(shop, item)
  local key = KEYS[item.customer_key]
  local known = need_customer(key)
  audit('customer.forgotten', {shop = shop.name, customer = item.customer})
  known.replied, known.paid = nil, nil
  if known.opted_out or known.paused then store_customer(key, known) else redis.call('DEL', key) end
  redis.call('ZREM', TIMERS, item.timer)
  return 'forgotten'
end

local function turn(shop, item)
  local at = tonumber(redis.call('ZSCORE', TIMERS, item.timer) or 'inf')
  if at > now then return 'later' end
  if item.customer then return forget(shop, item) end
  if item.seen_key then
    redis.call('DEL', KEYS[item.seen_key])
    redis.call('ZREM', TIMERS, item.timer)
    return 'forgotten'
  end
  local order = load_order(KEYS[item.order_key])
  if not order then
    redis.call('ZREM', TIMERS, item.timer)
    return 'gone'
  elseif order.state == 'unpaid' then
    return close(shop, item, order)
  elseif needed(order) then
    redis.call('ZADD', TIMERS, now + math.min(HEAD.retention, HEAD.slot_kept), item.timer)
    return 'later'
  end
  return retire(shop, item, order)
end
