-- The unpaid orders of a customer, by which those that come due near each other find each other. An order that
-- shares its customer with another is marked `shared`, so that nothing more is read for any other. The list is an index
-- and no more: where it cannot be read or written, each order is reminded of alone.
local unpaid_read = {}

local function unpaid_key(shop, customer)
  return HEAD.unpaid_prefix .. shop.name .. '~' .. customer
end

local function note_unpaid(shop, id, order)
  local key = unpaid_key(shop, order.customer)
  local count = redis.pcall('RPUSH', key, id)
  if type(count) ~= 'number' or count < 2 then return end
  order.shared = true
  if count > 2 then return end
  local other_key = HEAD.order_prefix .. shop.name .. '~' .. redis.call('LINDEX', key, 0)
  local readable, other = pcall(load_order, other_key)
  if readable and other then
    other.shared = true
    store_order(other_key, other)
  end
end

local function forget_unpaid(shop, id, order)
  if order.customer then redis.pcall('LREM', unpaid_key(shop, order.customer), 1, id) end
end

-- A customer's unpaid orders, the oldest OTHERS_READ, read once a call.
local function unpaid_of(shop, customer)
  local key = unpaid_key(shop, customer)
  unpaid_read[key] = unpaid_read[key] or redis.pcall('LRANGE', key, 0, OTHERS_READ - 1)
  return unpaid_read[key]
end

-- The other unpaid orders of a shared order's customer, among the oldest OTHERS_READ: {order, text, facts, order, …}.
local function others_of(shop, id, order)
  local found = {}
  for _, other_id in ipairs(order.shared and unpaid_of(shop, order.customer) or {}) do
    local name = shop.name .. '~' .. other_id
    local readable, other, text = pcall(load_order, HEAD.order_prefix .. name)
    local facts = other_id ~= id and readable and other and other.state == 'unpaid' and read(HEAD.facts_prefix .. name)
    if type(facts) == 'string' then
      local n = #found
      found[n + 1], found[n + 2], found[n + 3] = other_id, text, facts
    end
  end
  return found
end
