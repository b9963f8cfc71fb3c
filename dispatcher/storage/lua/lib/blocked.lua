-- The addresses that a shop blocks: `phone` or `chat` and a pseudonym -> about it, as JSON. The shop's own hash counts
-- them, so that a lease tells whether there are any, and each change is one of the shop's revision: what was decided on
-- before is decided again.
local function check_block(item)
  if not item.addresses then return end
  local found = redis.call('TYPE', KEYS[item.addresses]).ok
  if found ~= 'hash' and found ~= 'none' then refuse(KEYS[item.addresses] .. ': expected a hash') end
end

local function blocks_changed(kind, shop, item)
  redis.call('HSET', KEYS[shop.key], 'blocked', redis.call('HLEN', KEYS[item.addresses]))
  redis.call('HINCRBY', KEYS[shop.key], 'rev', 1)
  audit('operator.' .. kind, {shop = shop.name}, item.told)
  return kind
end

local function is_blocked(item)
  return redis.call('HEXISTS', KEYS[item.addresses], item.address) == 1
end

local function blocks_full(item)
  return not is_blocked(item) and redis.call('HLEN', KEYS[item.addresses]) >= MOST_BLOCKED
end

local function block_address(shop, item)
  if is_blocked(item) then return 'unchanged' end
  if blocks_full(item) then return 'full' end
  redis.call('HSET', KEYS[item.addresses], item.address, item.about)
  return blocks_changed('blocked', shop, item)
end

local function unblock_address(shop, item)
  if redis.call('HDEL', KEYS[item.addresses], item.address) == 0 then return 'unchanged' end
  return blocks_changed('unblocked', shop, item)
end
