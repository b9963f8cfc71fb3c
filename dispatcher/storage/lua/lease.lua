-- Leases due reminders of one shop and channel, with what deciding about them needs.
-- uses: args lane orders queues
-- head: now:number shops:list channel:string limit:number lease:number order_prefix:string facts_prefix:string ledger_prefix:string
-- shop: name:string key:key due:list
-- reply: {token, shop rev, policy version, now, reminder, order, facts, ledger, reminder, …}: order and ledger as MessagePack
local shop = HEAD.shops[1]
if shop == nil or not known(shop, HEAD.channel) then refuse('head.channel: unknown') end
local due = KEYS[shop.due[HEAD.channel]]
local policy = tonumber(redis.call('HGET', KEYS[shop.key], 'policy') or 0)
local token = tonumber(redis.call('HGET', LANE, 'token') or 0) + 1
local ids = {}
if not paused(shop, HEAD.channel) then
  ids = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, HEAD.limit)
end
-- What cannot be read stays where it is and stops nobody else.
local found, gone = {}, {}
for _, id in ipairs(ids) do
  local name, number = string.match(id, '^(.*)~(%d+)$')
  local readable, order = pcall(load_order, HEAD.order_prefix .. (name or id))
  local step = readable and order and order.steps[tonumber(number)]
  local facts = step and redis.pcall('GET', HEAD.facts_prefix .. name)
  local ledger = step and hand_offs(HEAD.ledger_prefix .. shop.name .. '~' .. (order.customer or ''))
  if type(facts) == 'string' and ledger and WAITING[step.status] then
    found[#found + 1] = {id, name, order, step, facts, ledger}
    gone[#gone + 1] = id
  elseif readable and not step then
    gone[#gone + 1] = id
  end
end

local leased = {}
for _, entry in ipairs(found) do
  local id, name, order, step = unpack(entry)
  step.token, step.lease_end, step.leases = token, now + HEAD.lease, (step.leases or 0) + 1
  leased[#leased + 1], leased[#leased + 2] = step.lease_end, id
  store_order(HEAD.order_prefix .. name, order)
end
in_chunks('ZADD', LEASES, leased)
local packed = save_orders()
local reply = {token, shop.rev, policy, now}
in_chunks('ZREM', due, gone)
for _, entry in ipairs(found) do
  local id, name, order, step, facts, ledger = unpack(entry)
  reply[#reply + 1], reply[#reply + 2] = id, packed[HEAD.order_prefix .. name]
  reply[#reply + 1], reply[#reply + 2] = facts, ledger
end
if #gone > 0 then
  touch(shop, HEAD.channel)
  redis.call('HSET', LANE, 'token', token)
  save_queues()
  close_lane()
end
return reply
