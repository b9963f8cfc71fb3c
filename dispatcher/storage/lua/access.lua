-- Creates and revokes keys of the API.
-- uses: args lane
-- head: now:number actor:string most:number
-- item: kind:string id:string key:key details:string entry:string?
-- reply: for each item: created | revoked | taken | full | unknown
for i, item in ipairs(ITEMS) do
  local found = redis.call('TYPE', KEYS[item.key]).ok
  if found ~= 'hash' and found ~= 'none' then refuse(KEYS[item.key] .. ': expected a hash, got a ' .. found) end
  if item.kind ~= 'revoke' and not (item.kind == 'create' and item.entry) then
    refuse('item ' .. i .. ': expected revoke, or create with its entry')
  end
end

local replies = {}
for i, item in ipairs(ITEMS) do
  local key = KEYS[item.key]
  local there = redis.call('HEXISTS', key, item.id) == 1
  if item.kind == 'revoke' then
    replies[i] = there and 'revoked' or 'unknown'
    if there then
      redis.call('HDEL', key, item.id)
      audit('access.key_revoked', {shop = '*'}, item.details)
    end
  elseif there then
    replies[i] = 'taken'
  elseif redis.call('HLEN', key) >= HEAD.most then
    replies[i] = 'full'
  else
    replies[i] = 'created'
    redis.call('HSET', key, item.id, item.entry)
    audit('access.key_created', {shop = '*'}, item.details)
  end
end
close_lane()
return replies
