-- Items of a shop's incentive pools, in one hash: `taken|<pool>`, `added|<pool>` (topped up), `of|<pool>|<customer>`.
-- A pool's id has no `|`. An order has one item at most; the steps that name it keep its pool as `offered`.
local counts_read = {}

-- A count as it stands in this call; whoever writes one has read it before its first write.
local function items_of(key, field)
  counts_read[key] = counts_read[key] or {}
  if counts_read[key][field] == nil then
    local found = redis.pcall('HGET', key, field)
    local number = type(found) ~= 'table' and tonumber(found or 0)
    if not number then refuse(key .. ': expected a hash of counts') end
    counts_read[key][field] = number
  end
  return counts_read[key][field]
end

local function add_items(key, field, by)
  local left = items_of(key, field) + by
  counts_read[key][field] = left
  if left == 0 then redis.call('HDEL', key, field) else redis.call('HSET', key, field, string.format('%d', left)) end
end

-- The step other than `but` that names the order's item.
local function named_by(order, but)
  for number, step in ipairs(order.steps) do
    if number ~= but and step.offered then return step end
  end
end

local function fields(pool, customer)
  return 'taken|' .. pool, 'of|' .. pool .. '|' .. (customer or '')
end

-- Reads what taking or giving back an item will change.
local function check_offer(i, item)
  if not item.pool then return end
  if not (item.pools and item.offer_ends) then refuse('item ' .. i .. ': expected pools and offer_ends with pool') end
  local order = load_order(KEYS[item.order_key])
  if not order then return end
  local taken, mine = fields(item.pool, order.customer)
  items_of(KEYS[item.pools], taken)
  items_of(KEYS[item.pools], mine)
  items_of(KEYS[item.pools], 'added|' .. item.pool)
end

-- The same for what will be settled; what is not its holder's any more changes nothing and refuses nothing.
local function check_return(i, item)
  if tokens[item.reminder] ~= item.token then return end
  local order = load_order(KEYS[item.order_key])
  local pool = order and order.steps[item.step] and order.steps[item.step].offered
  if not pool then return end
  if item.pool ~= pool or not item.pools then refuse('item ' .. i .. '.pool: expected the one that was offered') end
  local taken, mine = fields(pool, order.customer)
  items_of(KEYS[item.pools], taken)
  items_of(KEYS[item.pools], mine)
end

-- Whether the item that a message names can be had: a new one while the pool and the customer's share of it last,
-- or (without `quantity`) the one that the order has.
local function to_be_had(item, order)
  if not item.pool then return true end
  local other = named_by(order, item.step)
  if not item.quantity then return other ~= nil and other.offered == item.pool end
  local key, taken, mine = KEYS[item.pools], fields(item.pool, order.customer)
  return other == nil and items_of(key, taken) < item.quantity + items_of(key, 'added|' .. item.pool)
    and (item.per_customer == nil or items_of(key, mine) < item.per_customer)
end

local function take_item(item, order, step)
  step.offered, step.offer_ends = item.pool, item.offer_ends
  if not item.pool or not item.quantity then return end
  local taken, mine = fields(item.pool, order.customer)
  add_items(KEYS[item.pools], taken, 1)
  add_items(KEYS[item.pools], mine, 1)
end

-- Nothing was handed over: the item goes back, unless another message named it. What a record says of that.
local function give_item_back(item, order, step)
  local pool = step.offered
  step.offered, step.offer_ends = nil, nil
  if not pool or named_by(order, item.step) then return nil end
  local taken, mine = fields(pool, order.customer)
  add_items(KEYS[item.pools], taken, -1)
  add_items(KEYS[item.pools], mine, -1)
  return '{"given_back":' .. cjson.encode(pool) .. '}'
end
