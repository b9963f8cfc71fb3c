-- Orders as stored (records.StoredOrder, stored_orders.py), each read at most once a call and written once at its end.
local orders, texts_read, changed = {}, {}, {}

-- What stands before an order's MessagePack: 1, its length, whether it is shared, the customer's length, the customer.
-- Behind it come the numbers of the order's audit records.
local HEADER = '>BI4BI2c0'

-- What a text holds of an order; an earlier version wrote MessagePack alone, with the numbers of records in it.
local function order_of(text)
  if string.byte(text) ~= 1 then
    local order = cmsgpack.unpack(text)
    local records = {}
    for n, number in ipairs(order.records or {}) do records[n] = struct.pack(RECORD, number) end
    order.records = table.concat(records)
    return order
  end
  local _, size, _, _, start = struct.unpack(HEADER, text)
  local order = cmsgpack.unpack(string.sub(text, start, start + size - 1))
  order.records = string.sub(text, start + size)
  return order
end

local SENDS_BY = {}
for _, channel in ipairs(CHANNELS) do SENDS_BY[channel] = true end

-- Whether all of it that is reckoned with is of its type, so that nothing fails on it after a write.
local function is_order(order)
  if type(order.steps) ~= 'table' or type(order.rev) ~= 'number' or type(order.time) ~= 'number' then return false end
  for _, step in ipairs(order.steps) do
    if type(step) ~= 'table' or not MOVES[step.status] or not SENDS_BY[step.channel] or type(step.due) ~= 'number'
      or type(step.attempt) ~= 'number' or type(step.leases or 0) ~= 'number' or type(step.handed or 0) ~= 'number' then
      return false
    end
  end
  return type(order.closes or 0) == 'number' and type(order.customer or '') == 'string'
end

-- Reads an order before the first write and returns it with its text; an unreadable one refuses the call as a whole.
local function load_order(key)
  if orders[key] == nil then
    local text = read(key)
    if text and text.err then refuse(key .. ': ' .. text.err) end
    if text then
      local ok, order = pcall(order_of, text)
      if not ok or not is_order(order) then refuse(key .. ': not an order') end
      orders[key], texts_read[key] = order, text
    end
  end
  return orders[key], texts_read[key]
end

local function store_order(key, order)
  orders[key] = order
  changed[key] = true
end

local function text_of(order)
  local records, customer = order.records or '', order.customer or ''
  order.records = nil
  local body = cmsgpack.pack(order)
  order.records = records
  return struct.pack(HEADER, 1, #body, order.shared and 1 or 0, #customer, customer) .. body .. records
end

-- Writes what changed.
local function save_orders()
  for key in pairs(changed) do put(key, text_of(orders[key])) end
  in_chunks('MSET', nil, writes)
end

local function allowed(step, status)
  return MOVES[step.status] ~= nil and MOVES[step.status][status] == true
end

-- The only place that changes a status. Callers ask allowed() before their first write, so this fails on a bug only.
local function move(shop, step, id, status)
  if not allowed(step, status) then error({err = 'BUG a reminder cannot go from ' .. step.status .. ' to ' .. status}) end
  if INDEXED[step.status] then redis.call('ZREM', KEYS[shop.status[step.status]], id) end
  if INDEXED[status] then redis.call('ZADD', KEYS[shop.status[status]], now, id) end
  if step.status == 'open' then count('open', -1) end
  if status == 'open' then count('open', 1) end
  step.status = status
end

-- Hand-offs of an order's steps other than one, carried ones too: they change no revision, since they change nothing that was told.
local function used(order, but)
  local handed_over = 0
  for number, step in ipairs(order.steps) do
    if number ~= but and (HANDED_OVER[step.status] or step.carrier) then handed_over = handed_over + 1 end
  end
  return handed_over
end

local function reminder_id(shop, id, number)
  return shop.name .. '~' .. id .. '~' .. TEXTS[number]
end

-- What a record about an order names.
local function of_order(shop, id, order, more)
  local fields = more or {}
  fields.shop, fields.order, fields.customer, fields.of = shop.name, id, order.customer, order
  return fields
end

-- What a record about a reminder names.
local function about(shop, id, order, number, more)
  local fields = of_order(shop, id, order, more)
  fields.step = number
  return fields
end
