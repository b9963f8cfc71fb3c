-- The lane's clock and audit. `now` never goes back; records count without gaps.
for i, kind in ipairs({'hash', 'stream', 'zset', 'zset', 'zset', 'hash'}) do
  local found = redis.call('TYPE', KEYS[i]).ok
  if found ~= kind and found ~= 'none' then refuse('KEYS ' .. i .. ': expected a ' .. kind .. ', got a ' .. found) end
end
if HEAD.actor and string.find(HEAD.actor, '%c') then refuse('head.actor: expected no control character') end
local ACTOR = HEAD.actor or 'system'
local LANE, AUDIT, READY, LEASES, TIMERS, COUNTS = unpack(KEYS, 1, 6)
local seq, last_at = unpack(redis.call('HMGET', LANE, 'seq', 'at'))
seq = tonumber(seq or 0)
local now = math.max(HEAD.now, tonumber(last_at or 0))
local NOW = TEXTS[now]

-- Counters of the lane, written once a call.
local counted = {}
local function count(name, by)
  counted[name] = (counted[name] or 0) + by
end

-- Records that no entry of the stream holds yet. An entry takes several, a field each; its id is the last one's number.
local entry, bytes = {}, 0

-- Writes the entry; one of more than ENTRY_BYTES holds one record. A server may lose a node that an entry began and made
-- outgrow what was allocated for it, where it had moved the node before to take back what that had left (valkey #4705).
-- So a long record follows on a filler, which leaves nothing worth moving and is deleted again.
local function save_records()
  if bytes == 0 then return end
  local filler = bytes > ENTRY_BYTES and string.format('%d-1', seq - 1)
  if filler then redis.call('XADD', AUDIT, filler, '', string.rep('.', FILLER_BYTES)) end
  redis.call('XADD', AUDIT, string.format('%d-0', seq), unpack(entry))
  if filler then redis.call('XDEL', AUDIT, filler) end
  entry, bytes = {}, 0
end

-- The numbers of an order's records, with the newest one; what is left of a number that was cut off goes.
local function with_record(records)
  if #records % RECORD_BYTES ~= 0 then records = string.sub(records, 1, -1 - #records % RECORD_BYTES) end
  if #records >= RECORDS_KEPT * RECORD_BYTES then records = string.sub(records, RECORD_BYTES * (1 - RECORDS_KEPT)) end
  return records .. struct.pack(RECORD, seq)
end

-- Appends a record and counts it not; texts that are not told are empty. One field, parted by a character that no id
-- can hold, costs a third of what a field each does, and one expression half of what a table of its parts does.
local function append(kind, shop, order, customer, step, attempt, channel, reason, policy, template, seen, details)
  local record = NOW .. '\31' .. kind .. '\31' .. ACTOR .. '\31' .. shop .. '\31' .. order .. '\31' .. customer .. '\31'
    .. (step and TEXTS[step] or '') .. '\31' .. (attempt and TEXTS[attempt] or '') .. '\31'
    .. channel .. '\31' .. reason .. '\31' .. (policy and TEXTS[policy] or '') .. '\31' .. template .. '\31'
    .. seen .. '\31' .. details
  if bytes + #record > ENTRY_BYTES or #entry == 2 * ENTRY_RECORDS then save_records() end
  seq = seq + 1
  entry[#entry + 1] = TEXTS[#entry / 2]
  entry[#entry + 1] = record
  bytes = bytes + #record
end

-- Records what `about` names: shop, order, customer, step, attempt, channel, reason, policy, template, and `of`, the
-- stored order that keeps the record's number; `details` is packed JSON (packing.py), `seen` a JSON object of what
-- only the script knows.
local function audit(kind, about, details, seen)
  local channel, reason = about.channel or '', about.reason or ''
  append(kind, about.shop, about.order or '', about.customer or '', about.step, about.attempt, channel, reason, about.policy,
    about.template or '', seen or '', details or '')
  if about.of then about.of.records = with_record(about.of.records or '') end
  count('kind|' .. kind .. '|' .. channel .. '|' .. reason, 1)
end

local function close_lane()
  save_records()
  redis.call('HSET', LANE, 'seq', seq, 'at', NOW)
  for name, by in pairs(counted) do redis.call('HINCRBY', COUNTS, name, by) end
end

local function json_list(texts)
  for i, text in ipairs(texts) do texts[i] = cjson.encode(text) end
  return '[' .. table.concat(texts, ',') .. ']'
end
