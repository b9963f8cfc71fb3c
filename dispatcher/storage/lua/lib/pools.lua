-- What the pools of a shop's incentives hold, for those who decide; its policy names them (`pools` of the shop).
-- Packed {pools, taken, added, of = {customer: taken from each pool}}, or '' where it cannot be read.
local function pool_counts(key, names, customers)
  local pools, asked = {}, {}
  for pool in string.gmatch(names, '[^,]+') do
    pools[#pools + 1] = pool
    asked[#asked + 1], asked[#asked + 2] = 'taken|' .. pool, 'added|' .. pool
  end
  local function numbers(wanted)
    local found = redis.pcall('HMGET', key, unpack(wanted))
    if found.err then return nil end
    for i, text in ipairs(found) do
      found[i] = tonumber(text or 0)
      if not found[i] then return nil end
    end
    return found
  end
  local all = numbers(asked)
  if not all then return '' end
  local taken, added, of = {}, {}, {}
  for i = 1, #pools do taken[i], added[i] = all[2 * i - 1], all[2 * i] end
  for customer in pairs(customers) do
    local mine = {}
    for i, pool in ipairs(pools) do mine[i] = 'of|' .. pool .. '|' .. customer end
    of[customer] = numbers(mine)
    if not of[customer] then return '' end
  end
  return cmsgpack.pack({pools = pools, taken = taken, added = added, of = of})
end
