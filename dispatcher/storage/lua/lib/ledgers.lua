-- Hand-offs to one customer, or to all who share a phone number: reminder -> instant. A quarter of a millisecond more
-- tells the channel of one; those of an earlier version are without.
local QUARTER = {chat = 1, sms = 2, phone = 3}
local ledgers, ledger_quarters = {}, {}

-- The hand-offs as they stand in this call, and the channel of each in quarters.
local function slots(key)
  if not ledgers[key] then
    local found = redis.pcall('ZRANGE', key, 0, -1, 'WITHSCORES')
    if found.err then refuse(key .. ': expected a zset') end
    ledgers[key], ledger_quarters[key] = {}, {}
    for i = 1, #found, 2 do
      local at = tonumber(found[i + 1])
      ledgers[key][found[i]] = math.floor(at)
      ledger_quarters[key][found[i]] = at % 1 * 4
    end
  end
  return ledgers[key], ledger_quarters[key]
end

local function take_slot(key, reminder, at, channel)
  local quarter = QUARTER[channel] or 0
  redis.call('ZADD', key, string.format('%d.%02d', at, quarter * 25), reminder)
  local instants, quarters = slots(key)
  instants[reminder], quarters[reminder] = at, quarter
end

local function free_slot(key, reminder)
  redis.call('ZREM', key, reminder)
  slots(key)[reminder] = nil
end

-- Whether as many of the day's hand-offs as may be went by the channel of this one.
local function channel_full(item)
  if not item.per_channel then return false end
  local today, instants, quarters = 0, slots(KEYS[item.ledger])
  for reminder, at in pairs(instants) do
    local same = quarters[reminder] == QUARTER[item.channel]
    if same and at >= item.day_start and at < item.day_end then today = today + 1 end
  end
  return today >= item.per_channel
end

-- Whether as many call tasks of the shop wait for an agent as may.
local function too_many_tasks(shop, item)
  return item.max_open ~= nil and redis.call('ZCARD', KEYS[shop.status.open]) >= item.max_open
end

-- The hand-offs in a ledger as MessagePack, each four times its instant and its quarters, or nil if unreadable.
local function hand_offs(key)
  local scores = redis.pcall('ZRANGE', key, 0, -1, 'WITHSCORES')
  if scores.err then return nil end
  local marked = {}
  for i = 2, #scores, 2 do marked[#marked + 1] = tonumber(scores[i]) * 4 end
  return cmsgpack.pack(marked)
end
