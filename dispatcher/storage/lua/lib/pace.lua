-- The pace of a shop's channel: reminder -> the instant before which its hand-off began, for as long as that counts.
local MINUTE = 60000

-- How many more hand-offs the pace allows now; if none, when one may follow.
local function room_in_pace(key, pace)
  local found = redis.call('ZRANGEBYSCORE', key, string.format('(%d', now - MINUTE), '+inf', 'WITHSCORES')
  local count = #found / 2
  if count < pace then return pace - count end
  return 0, tonumber(found[2 * (count - pace + 1)]) + MINUTE
end

local function check_pace(item)
  if not item.pace_key then return end
  local found = redis.call('TYPE', KEYS[item.pace_key]).ok
  if found ~= 'zset' and found ~= 'none' then refuse(KEYS[item.pace_key] .. ': expected a zset') end
end

local function past_pace(item)
  return item.pace_key ~= nil and room_in_pace(KEYS[item.pace_key], item.pace) == 0
end

-- Counts a hand-off that begins before an instant.
local function keep_pace(item, before)
  if not item.pace_key then return end
  redis.call('ZREMRANGEBYSCORE', KEYS[item.pace_key], '-inf', string.format('%d', now - MINUTE))
  redis.call('ZADD', KEYS[item.pace_key], string.format('%d', before), item.reminder)
end

-- A hand-off at an instant takes its slot; its step knows whose it is when that is not its customer's own.
local function hand_over(item, step, at)
  step.person = item.person
  take_slot(KEYS[item.ledger], item.reminder, at, item.channel)
  keep_pace(item, item.valid_until)
end
