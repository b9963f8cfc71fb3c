-- Changes a shop: a new policy version, or a pause of one channel or all ('*') and its end.
-- uses: args lane orders queues
-- head: now:number actor:string shops:list
-- shop: name:string key:key due:list status:list
-- item: kind:string details:string policies:key? policy:string? about:string? pause:string?
-- reply: for each item: the policy version in force
local shop = HEAD.shops[1] or refuse('head.shops: expected one shop')
for i, item in ipairs(ITEMS) do
  if item.kind == 'policy' then
    if not (item.policies and item.policy and item.about) then refuse('item ' .. i .. ': expected policies, policy and about') end
    local found = redis.call('TYPE', KEYS[item.policies]).ok
    if found ~= 'hash' and found ~= 'none' then refuse(KEYS[item.policies] .. ': expected a hash') end
  elseif item.kind == 'pause' or item.kind == 'resume' then
    if not item.pause or not (item.pause == '*' or known(shop, item.pause)) then refuse('item ' .. i .. '.pause: unknown channel') end
  else
    refuse('item ' .. i .. '.kind: unknown')
  end
end

local replies = {}
for i, item in ipairs(ITEMS) do
  local version = tonumber(redis.call('HGET', KEYS[shop.key], 'policy') or 0)
  if item.kind == 'policy' then
    version = version + 1
    redis.call('HSET', KEYS[item.policies], version, item.policy, version .. ':about', item.about)
    redis.call('HSET', KEYS[shop.key], 'policy', version)
    audit('policy.changed', {shop = shop.name, policy = version}, item.details)
  else
    local mark = item.pause .. ','
    local rest = string.gsub(shop.paused == '' and ',' or shop.paused, ',' .. (item.pause == '*' and '%*' or item.pause) .. ',', ',')
    shop.paused = item.kind == 'pause' and rest .. mark or rest
    redis.call('HSET', KEYS[shop.key], 'paused', shop.paused)
    audit(item.kind == 'pause' and 'operator.paused' or 'operator.resumed', {shop = shop.name}, item.details)
    for channel in pairs(shop.due) do touch(shop, channel) end
  end
  redis.call('HINCRBY', KEYS[shop.key], 'rev', 1)
  replies[i] = version
end
save_queues()
close_lane()
return replies
