-- Leases due reminders of one shop and channel, with what deciding about them needs.
-- uses: args lane orders queues
-- head: now:number shops:list channel:string limit:number lease:number order_prefix:string facts_prefix:string ledger_prefix:string
-- shop: name:string key:key due:list
-- reply: {token, shop rev, policy version, reminder, order, facts, ledger, reminder, …}: order and ledger as MessagePack
local shop = HEAD.shops[1]
if shop == nil or not known(shop, HEAD.channel) then refuse('head.channel: unknown') end
local due = KEYS[shop.due[HEAD.channel]]
local policy = tonumber(redis.call('HGET', KEYS[shop.key], 'policy') or 0)
local token = tonumber(redis.call('HGET', LANE, 'token') or 0) + 1
local ids = {}
if not paused(shop, HEAD.channel) then
  ids = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, HEAD.limit)
end
local found = {}
for i, id in ipairs(ids) do
  local name, number = string.match(id, '^(.*)~(%d+)$')
  local order = name and load_order(HEAD.order_prefix .. name)
  local step = order and order.steps[tonumber(number)]
  if step and WAITING[step.status] then
    found[#found + 1] = {id, name, order, step}
  end
end

for _, entry in ipairs(found) do
  local id, name, order, step = unpack(entry)
  step.token, step.lease_end, step.leases = token, now + HEAD.lease, (step.leases or 0) + 1
  redis.call('ZADD', LEASES, step.lease_end, id)
  store_order(HEAD.order_prefix .. name, order)
end
local packed = save_orders()
local reply = {token, shop.rev, policy}
for i = 1, #ids, 1000 do redis.call('ZREM', due, unpack(ids, i, math.min(i + 999, #ids))) end
for _, entry in ipairs(found) do
  local id, name, order = unpack(entry)
  local ledger = {}
  for i, score in ipairs(redis.call('ZRANGE', HEAD.ledger_prefix .. shop.name .. '~' .. order.customer, 0, -1, 'WITHSCORES')) do
    if i % 2 == 0 then ledger[#ledger + 1] = tonumber(score) end
  end
  reply[#reply + 1], reply[#reply + 2] = id, packed[HEAD.order_prefix .. name]
  reply[#reply + 1], reply[#reply + 2] = redis.call('GET', HEAD.facts_prefix .. name), cmsgpack.pack(ledger)
end
if #ids > 0 then
  touch(shop, HEAD.channel)
  redis.call('HSET', LANE, 'token', token)
  save_queues()
  close_lane()
end
return reply
