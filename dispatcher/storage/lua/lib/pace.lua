-- The pace of a shop's channel: reminder -> the instant before which its hand-off began, for as long as that counts.
local MINUTE = 60000
local pace_checked, pace_pruned = {}, {}

-- Hand-offs that count now, and since when they do.
local function begun_in_pace(key)
  local since = string.format('(%d', now - MINUTE)
  return redis.call('ZCOUNT', key, since, '+inf'), since
end

-- How many more hand-offs the pace allows now; if none, when one may follow.
local function room_in_pace(key, pace)
  local count, since = begun_in_pace(key)
  if count < pace then return pace - count end
  local leaves = redis.call('ZRANGEBYSCORE', key, since, '+inf', 'WITHSCORES', 'LIMIT', count - pace, 1)
  return 0, tonumber(leaves[2]) + MINUTE
end

local function check_pace(item)
  local key = item.pace_key and KEYS[item.pace_key]
  if not key or pace_checked[key] then return end
  local found = redis.call('TYPE', key).ok
  if found ~= 'zset' and found ~= 'none' then refuse(key .. ': expected a zset') end
  pace_checked[key] = true
end

local function past_pace(item)
  return item.pace_key ~= nil and begun_in_pace(KEYS[item.pace_key]) >= item.pace
end

-- Counts a hand-off that begins before an instant.
local function keep_pace(item, before)
  local key = item.pace_key and KEYS[item.pace_key]
  if not key then return end
  if not pace_pruned[key] then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%d', now - MINUTE))
    pace_pruned[key] = true
  end
  redis.call('ZADD', key, string.format('%d', before), item.reminder)
end

-- A hand-off at an instant takes its slot; its step knows whose it is when that is not its customer's own.
local function hand_over(item, step, at)
  step.person = item.person
  take_slot(KEYS[item.ledger], item.reminder, at, item.channel)
  keep_pace(item, item.valid_until)
end
