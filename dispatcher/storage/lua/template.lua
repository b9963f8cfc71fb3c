-- Changes what a shop has in place of one of the product's templates: saves its draft or throws it away, publishes the
-- draft as the next version, goes back to an older version, or withdraws, so that the product's own is in force again.
-- What is so already stays as it is, without a record. `called` is the product's own when one withdraws, else what the
-- shop's versions are called but for their number.
-- uses: args lane queues templates
-- head: now:number actor:string shops:list kept:number
-- shop: name:string key:key due:list status:list
-- item: kind:string name:string called:string templates:key text:string? about:string? version:number? details:string
-- reply: for each item: the version in force, 0 being the product's own, or -1 where the draft or version is not (or no more) there
local shop = HEAD.shops[1] or refuse('head.shops: expected one shop')
local NEEDS = {draft = {'text', 'about'}, discard = {}, publish = {'text', 'about'}, rollback = {'version'}, withdraw = {}}
for i, item in ipairs(ITEMS) do
  for _, name in ipairs(NEEDS[item.kind] or refuse('item ' .. i .. '.kind: unknown')) do
    if item[name] == nil then refuse('item ' .. i .. '.' .. name .. ': expected for ' .. item.kind) end
  end
  local found = redis.call('TYPE', KEYS[item.templates]).ok
  if found ~= 'hash' and found ~= 'none' then refuse(KEYS[item.templates] .. ': expected a hash') end
  local newest = redis.call('HGET', KEYS[item.templates], item.name .. '@newest')
  if newest and not tonumber(newest) then refuse(KEYS[item.templates] .. ': expected a number in ' .. item.name .. '@newest') end
end

local replies = {}
for i, item in ipairs(ITEMS) do
  local key, name = KEYS[item.templates], item.name
  local version, others = published(shop, name)
  local draft = redis.call('HGET', key, name .. '@draft')
  local before = version
  if item.kind == 'draft' and draft ~= item.text then
    redis.call('HSET', key, name .. '@draft', item.text, name .. '@draft:about', item.about)
    audit('template.changed', {shop = shop.name}, item.details)
  elseif item.kind == 'discard' and draft then
    redis.call('HDEL', key, name .. '@draft', name .. '@draft:about')
    audit('template.changed', {shop = shop.name}, item.details)
  elseif item.kind == 'publish' then
    if draft ~= item.text then
      version = -1
    elseif version == 0 or redis.call('HGET', key, name .. '@' .. version) ~= draft then
      version = tonumber(redis.call('HGET', key, name .. '@newest') or 0) + 1
      redis.call('HSET', key, name .. '@' .. version, draft, name .. '@' .. version .. ':about', item.about, name .. '@newest', version)
      redis.call('HDEL', key, name .. '@' .. version - HEAD.kept, name .. '@' .. version - HEAD.kept .. ':about')
    end
  elseif item.kind == 'rollback' then
    version = redis.call('HEXISTS', key, name .. '@' .. item.version) == 1 and item.version or -1
  elseif item.kind == 'withdraw' then
    version = 0
  end
  if version ~= -1 and version ~= before then
    put_into_force(shop, name, version, others)
    local called = version == 0 and item.called or item.called .. version
    audit('template.changed', {shop = shop.name, template = called}, item.details, '{"version":' .. version .. '}')
  end
  replies[i] = version
end
close_lane()
return replies
