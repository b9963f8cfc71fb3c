-- Changes a shop: a new policy version, or a pause of one channel or all ('*') and its end. What is so already stays as
-- it is, without a record.
-- uses: args lane texts orders queues paces
-- head: now:number actor:string shops:list
-- shop: name:string key:key due:list status:list
-- item: kind:string details:string policies:key? policy:string? about:string? pause:string? queue:string? pauses:key? pools:string? pace:list? alone:string?
-- reply: for each item: the policy version in force
local shop = HEAD.shops[1] or refuse('head.shops: expected one shop')
for i, item in ipairs(ITEMS) do
  if item.kind == 'policy' then
    if not (item.policies and item.policy and item.about) then refuse('item ' .. i .. ': expected policies, policy and about') end
    local found = redis.call('TYPE', KEYS[item.policies]).ok
    if found ~= 'hash' and found ~= 'none' then refuse(KEYS[item.policies] .. ': expected a hash') end
  elseif item.kind == 'pause' or item.kind == 'resume' then
    if not item.pause or not (item.pause == '*' or known(shop, item.pause)) then refuse('item ' .. i .. '.pause: unknown channel') end
    if not (item.queue and item.pauses) or (item.kind == 'pause' and not item.about) then refuse('item ' .. i .. ': expected queue and pauses, and about') end
    local found = redis.call('TYPE', KEYS[item.pauses]).ok
    if found ~= 'hash' and found ~= 'none' then refuse(KEYS[item.pauses] .. ': expected a hash') end
  else
    refuse('item ' .. i .. '.kind: unknown')
  end
end

local function changes(item, version)
  if item.kind == 'policy' then return redis.call('HGET', KEYS[item.policies], version) ~= item.policy end
  return (string.find(shop.paused, ',' .. item.pause .. ',', 1, true) ~= nil) ~= (item.kind == 'pause')
end

local replies = {}
for i, item in ipairs(ITEMS) do
  local version = tonumber(redis.call('HGET', KEYS[shop.key], 'policy') or 0)
  local new = changes(item, version)
  if new and item.kind == 'policy' then
    version = version + 1
    redis.call('HSET', KEYS[item.policies], version, item.policy, version .. ':about', item.about)
    redis.call('HSET', KEYS[shop.key], 'policy', version)
    set_paces(shop, item.pace or {})
    if item.pools then redis.call('HSET', KEYS[shop.key], 'pools', item.pools) else redis.call('HDEL', KEYS[shop.key], 'pools') end
    if item.alone then redis.call('HSET', KEYS[shop.key], 'alone', item.alone) else redis.call('HDEL', KEYS[shop.key], 'alone') end
    audit('policy.changed', {shop = shop.name, policy = version}, item.details)
  elseif new then
    if item.kind == 'pause' then
      shop.paused = (shop.paused == '' and ',' or shop.paused) .. item.pause .. ','
      redis.call('HSET', KEYS[item.pauses], item.queue, item.about)
    else
      shop.paused = string.gsub(shop.paused, ',' .. (item.pause == '*' and '%*' or item.pause) .. ',', ',')
      redis.call('HDEL', KEYS[item.pauses], item.queue)
    end
    redis.call('HSET', KEYS[shop.key], 'paused', shop.paused)
    audit(item.kind == 'pause' and 'operator.paused' or 'operator.resumed', {shop = shop.name}, item.details)
    for channel in pairs(shop.due) do touch(shop, channel) end
  end
  if new then redis.call('HINCRBY', KEYS[shop.key], 'rev', 1) end
  replies[i] = version
end
save_queues()
close_lane()
return replies
