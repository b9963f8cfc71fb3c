-- What a shop has published stands in the shop's hash, as `name@version` parted by commas: a lease brings it.

-- The version of a template that is in force, 0 being the product's own, and what is published beside it.
local function published(shop, name)
  local version, others = 0, {}
  for each in string.gmatch(redis.call('HGET', KEYS[shop.key], 'templates') or '', '[^,]+') do
    if string.sub(each, 1, #name + 1) == name .. '@' then
      version = tonumber(string.sub(each, #name + 2)) or 0
    else
      others[#others + 1] = each
    end
  end
  return version, others
end

local function put_into_force(shop, name, version, others)
  if version > 0 then others[#others + 1] = string.format('%s@%d', name, version) end
  table.sort(others)
  redis.call('HSET', KEYS[shop.key], 'templates', table.concat(others, ','))
  if #others == 0 then redis.call('HDEL', KEYS[shop.key], 'templates') end
  redis.call('HINCRBY', KEYS[shop.key], 'rev', 1)
end
