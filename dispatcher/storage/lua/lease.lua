-- Leases due reminders of one shop and channel, with what deciding about them needs. An order's record does not
-- change with a lease: the lease stands in LEASES alone.
-- uses: args lane texts orders ledgers customers queues others pace pools due
-- head: now:number shops:list channel:string limit:number lease:number order_prefix:string facts_prefix:string ledger_prefix:string customer_prefix:string unpaid_prefix:string pace_prefix:string pools:key
-- shop: name:string key:key due:list status:list
-- reply: {token, shop rev, policy version, now, open tasks or -1, pools, blocked addresses, published templates, reminder, order, facts, ledger, customer, others, reminder, …}: an order as stored_orders.py reads it, a ledger and customer as MessagePack, '' for a ledger and customer of whom nothing is kept, of others what others_of() finds where decisions look at them; pools '' where the policy has none
local shop = HEAD.shops[1]
if shop == nil or not known(shop, HEAD.channel) then refuse('head.channel: unknown') end
local due = KEYS[shop.due[HEAD.channel]]
local policy, pace, pools, blocked, alone, templates =
  unpack(redis.call('HMGET', KEYS[shop.key], 'policy', 'pace.' .. HEAD.channel, 'pools', 'blocked', 'alone', 'templates'))
local look_around = HEAD.channel ~= 'phone' and not alone
policy = tonumber(policy or 0)
local room, free_at = HEAD.limit, nil
if pace then room, free_at = room_in_pace(HEAD.pace_prefix .. shop.name .. '~' .. HEAD.channel, tonumber(pace)) end
local token = math.max(now + HEAD.lease, tonumber(redis.call('HGET', LANE, 'token') or 0) + 1)
local lease_end, ids = string.format('%d', token), {}
if free_at then
  -- Nobody asks again before that, unless something else happens to the queue.
  redis.call('ZADD', READY, 'XX', 'GT', string.format('%d', free_at), shop.name .. '~' .. HEAD.channel)
elseif not paused(shop, HEAD.channel) then
  ids = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, math.min(room, HEAD.limit))
end
local found = read_due(shop, ids, look_around)
-- What cannot be read stays where it is and stops nobody else.
local tasks = HEAD.channel == 'phone' and redis.call('ZCARD', KEYS[shop.status.open]) or -1
local reply, leased, gone, customers_leased = {token, shop.rev, policy, now, tasks, '', tonumber(blocked or 0), templates or ''}, {}, {}, {}
for _, one in ipairs(found) do
  local facts = one.customer and read(one.facts_key)
  local ledger, said = text_by(load_ledger, one.ledger_key), text_by(load_customer, one.customer_key)
  if one.gone then
    gone[#gone + 1] = one.id
  elseif facts and not facts.err and ledger and said then
    local n = #reply
    reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4], reply[n + 5] = one.id, one.text, facts, ledger, said
    reply[n + 6] = look_around and one.shared and others_of(shop, string.sub(one.name, #shop.name + 2), one) or {}
    leased[#leased + 1], leased[#leased + 2] = lease_end, one.id
    customers_leased[one.customer] = true
    gone[#gone + 1] = one.id
  end
end

if pools and #leased > 0 then reply[6] = pool_counts(KEYS[HEAD.pools], pools, customers_leased) end
if #gone > 0 then
  -- A lease that lasts still, of what should not be due, stays its holder's.
  for i = 1, #leased, 1000 do redis.call('ZADD', LEASES, 'NX', unpack(leased, i, math.min(i + 999, #leased))) end
  in_chunks('ZREM', due, gone)
  count('waiting|' .. HEAD.channel, -#gone)
  touch(shop, HEAD.channel)
  redis.call('HSET', LANE, 'token', lease_end)
  save_queues()
  close_lane()
end
return reply
