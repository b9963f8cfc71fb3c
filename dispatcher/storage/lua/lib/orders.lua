-- Orders as stored (records.StoredOrder), each read at most once a call and written once at its end.
local orders = {}
local changed = {}

-- Calls a command on many arguments, as few at once as the stack holds; a command each costs several times more.
local function in_chunks(command, key, values)
  for i = 1, #values, 1000 do
    local last = math.min(i + 999, #values)
    if key then
      redis.call(command, key, unpack(values, i, last))
    else
      redis.call(command, unpack(values, i, last))
    end
  end
end

-- Reads the orders under `keys` before the first write; an unreadable one refuses the call as a whole.
local function load_order(key)
  if orders[key] == nil then
    local text = redis.pcall('GET', key)
    if type(text) == 'table' then refuse(key .. ': ' .. text.err) end
    if text then
      local ok, order = pcall(cmsgpack.unpack, text)
      if not ok or type(order) ~= 'table' or type(order.steps) ~= 'table' or not order.rev then refuse(key .. ': not an order') end
      orders[key] = order
    end
  end
  return orders[key]
end

local function store_order(key, order)
  orders[key] = order
  changed[key] = true
end

-- Writes what changed and returns it by key, as written.
local function save_orders()
  local packed, writes = {}, {}
  for key in pairs(changed) do
    packed[key] = cmsgpack.pack(orders[key])
    writes[#writes + 1], writes[#writes + 2] = key, packed[key]
  end
  in_chunks('MSET', nil, writes)
  return packed
end

local function allowed(step, status)
  return MOVES[step.status] ~= nil and MOVES[step.status][status] == true
end

-- The only place that changes a status. Callers ask allowed() before their first write, so this fails on a bug only.
local function move(step, status)
  if not allowed(step, status) then error({err = 'BUG a reminder cannot go from ' .. step.status .. ' to ' .. status}) end
  step.status = status
end

local function reminder_id(shop, id, number)
  return shop.name .. '~' .. id .. '~' .. number
end

-- What a record about a reminder names.
local function about(shop, id, order, number, more)
  local fields = more or {}
  fields.shop, fields.order, fields.customer, fields.step = shop.name, id, order.customer, number
  return fields
end

-- The instants in a customer's ledger as MessagePack, or nil where it cannot be read.
local function hand_offs(key)
  local scores = redis.pcall('ZRANGE', key, 0, -1, 'WITHSCORES')
  if scores.err then return nil end
  local instants = {}
  for i = 2, #scores, 2 do instants[#instants + 1] = tonumber(scores[i]) end
  return cmsgpack.pack(instants)
end
