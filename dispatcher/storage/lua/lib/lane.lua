-- The lane's clock and audit. `now` never goes back; records count without gaps.
for i, kind in ipairs({'hash', 'stream', 'zset', 'zset', 'zset'}) do
  local found = redis.call('TYPE', KEYS[i]).ok
  if found ~= kind and found ~= 'none' then refuse('KEYS ' .. i .. ': expected a ' .. kind .. ', got a ' .. found) end
end
if HEAD.actor and string.find(HEAD.actor, '%c') then refuse('head.actor: expected no control character') end
local LANE, AUDIT, READY, LEASES, TIMERS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local seq, last_at = unpack(redis.call('HMGET', LANE, 'seq', 'at'))
seq = tonumber(seq or 0)
local now = math.max(HEAD.now, tonumber(last_at or 0))

-- Appends a record. `about` names shop, order, customer, step, attempt, channel, reason, policy, template;
-- `details` is a JSON object, '{}' when left out. One field, parted by a character that no id can hold, costs
-- the store a third of what a field each does.
local function audit(kind, about, details)
  seq = seq + 1
  redis.call('XADD', AUDIT, seq .. '-0', 'r', table.concat({now, kind, HEAD.actor or 'system', about.shop,
    about.order or '', about.customer or '', about.step or '', about.attempt or '', about.channel or '',
    about.reason or '', about.policy or '', about.template or '', details or '{}'}, '\31'))
end

local function close_lane()
  redis.call('HSET', LANE, 'seq', seq, 'at', now)
end

local function json_list(texts)
  for i, text in ipairs(texts) do texts[i] = cjson.encode(text) end
  return '[' .. table.concat(texts, ',') .. ']'
end
