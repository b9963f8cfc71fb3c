-- Hand-offs to one customer, or to all who share a phone number: reminder -> four times its instant, and in the
-- quarters the channel; those of an earlier version are without. Each is read once a call and written once at its end.
local QUARTER = {chat = 1, sms = 2, phone = 3}
local ledgers, ledger_texts, ledgers_changed = {}, {}, {}

-- What an earlier version kept as a sorted set by instants, as the text that is written now; nil where it is none.
local function of_sorted_set(key)
  local found = redis.pcall('ZRANGE', key, 0, -1, 'WITHSCORES')
  if found.err then return nil end
  local marks = {}
  for i = 1, #found, 2 do marks[found[i]] = math.floor(tonumber(found[i + 1]) * 4) end
  return cmsgpack.pack(marks)
end

-- The marks that a text holds, if all of them can be reckoned with: nothing fails on them after a write.
local function marks_of(text)
  local marks = cmsgpack.unpack(text)
  for reminder, mark in pairs(marks) do
    if reminder .. '' ~= reminder or mark >= math.huge or mark % 1 ~= 0 then error('not a ledger') end
  end
  return marks
end

-- A ledger as it stands in this call, with its text before it, '' where there is none; nil where it cannot be read.
local function load_ledger(key)
  if ledgers[key] == nil then
    local text = read(key) or ''
    if text.err then text = of_sorted_set(key) end
    local ok, marks = text ~= nil, {}
    if ok and text ~= '' then ok, marks = pcall(marks_of, text) end
    if not ok then return nil end
    ledgers[key], ledger_texts[key] = marks, text
  end
  return ledgers[key], ledger_texts[key]
end

local function slots(key)
  return load_ledger(key) or refuse(key .. ': not a ledger')
end

local function take_slot(key, reminder, at, channel)
  slots(key)[reminder] = 4 * at + (QUARTER[channel] or 0)
  ledgers_changed[key] = true
end

local function free_slot(key, reminder)
  local marks = slots(key)
  if marks[reminder] then marks[reminder], ledgers_changed[key] = nil, true end
end

-- Has what changed written with the orders; an empty one goes.
local function save_ledgers()
  for key in pairs(ledgers_changed) do
    local marks = ledgers[key]
    if next(marks) then put(key, cmsgpack.pack(marks)) else redis.call('DEL', key) end
  end
end

-- Whether as many of the day's hand-offs as may be went by the channel of this one.
local function channel_full(item)
  if not item.per_channel then return false end
  local today, first, last = 0, 4 * item.day_start, 4 * item.day_end
  for _, mark in pairs(slots(KEYS[item.ledger])) do
    if mark >= first and mark < last and mark % 4 == QUARTER[item.channel] then today = today + 1 end
  end
  return today >= item.per_channel
end

-- Whether as many call tasks of the shop wait for an agent as may.
local function too_many_tasks(shop, item)
  return item.max_open ~= nil and redis.call('ZCARD', KEYS[shop.status.open]) >= item.max_open
end
