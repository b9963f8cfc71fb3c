-- Orders as stored (records.StoredOrder), each read at most once a call and written once at its end.
local orders, texts_read, changed, writes = {}, {}, {}, {}

-- Calls a command on many arguments, as few at once as the stack holds; a command each costs several times more. Returns
-- what the calls answered together, where that is a number.
local function in_chunks(command, key, values)
  local answered = 0
  for i = 1, #values, 1000 do
    local last = math.min(i + 999, #values)
    if key then
      answered = answered + redis.call(command, key, unpack(values, i, last))
    else
      redis.call(command, unpack(values, i, last))
    end
  end
  return answered
end

-- Texts that were read ahead, many by one command; false where a key holds nothing.
local ahead = {}

local function read_ahead(keys)
  for first = 1, #keys, 1000 do
    local nothing = {}
    for n, text in ipairs(redis.call('MGET', unpack(keys, first, math.min(first + 999, #keys)))) do
      local key = keys[first + n - 1]
      if text then ahead[key] = text else nothing[#nothing + 1] = key end
    end
    -- What is no string is answered like nothing: unless it is nothing, each is asked for by itself.
    if #nothing > 0 and redis.call('EXISTS', unpack(nothing)) == 0 then
      for _, key in ipairs(nothing) do ahead[key] = false end
    end
  end
end

-- A text as it was before this call, false where there is none, or an error where the key holds something else.
local function read(key)
  if ahead[key] ~= nil then return ahead[key] end
  return redis.pcall('GET', key)
end

-- Reads an order before the first write and returns it with its text; an unreadable one refuses the call as a whole.
local function load_order(key)
  if orders[key] == nil then
    local text = read(key)
    if text and text.err then refuse(key .. ': ' .. text.err) end
    if text then
      local ok, order = pcall(cmsgpack.unpack, text)
      if not ok or type(order) ~= 'table' or type(order.steps) ~= 'table' or not order.rev then refuse(key .. ': not an order') end
      orders[key], texts_read[key] = order, text
    end
  end
  return orders[key], texts_read[key]
end

local function store_order(key, order)
  orders[key] = order
  changed[key] = true
end

-- Has a text written with the orders.
local function put(key, text)
  writes[#writes + 1], writes[#writes + 2] = key, text
end

-- Writes what changed.
local function save_orders()
  for key in pairs(changed) do put(key, cmsgpack.pack(orders[key])) end
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
