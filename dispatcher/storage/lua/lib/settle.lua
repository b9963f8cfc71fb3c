-- What each outcome of a hand-off does.
local NEEDS = {sent = {'handed'}, uncertain = {'reason'}, retry = {'due', 'channel', 'reason'}, fail = {'reason'}}

local function check_outcome(i, item)
  local needs = NEEDS[item.outcome] or refuse('item ' .. i .. '.outcome: unknown')
  for _, name in ipairs(needs) do
    if item[name] == nil then refuse('item ' .. i .. '.' .. name .. ': expected for ' .. item.outcome) end
  end
  check_return(i, item)
end

local function record(kind, shop, item, order, step, reason, seen)
  audit(kind, about(shop, item.order, order, item.step,
    {channel = step.channel, attempt = step.attempt, reason = reason}), item.details, seen)
end

-- SETTLE.sent is done in texts too, by storage/swapping.py; what one does to an order the other must.
local SETTLE = {}

function SETTLE.sent(shop, item, order, step)
  move(shop, step, item.reminder, 'sent')
  step.handed = item.handed
  take_slot(KEYS[item.ledger], item.reminder, item.handed, step.channel)
  count_late(item.handed, step.due)
  record('reminder.sent', shop, item, order, step)
end

function SETTLE.uncertain(shop, item, order, step)
  move(shop, step, item.reminder, 'uncertain')
  record('reminder.uncertain', shop, item, order, step, item.reason)
end

-- Nothing was handed over: slot and incentive are free again, and a reminder whose order ended meanwhile ends with it.
local function not_handed_over(shop, item, order, step)
  free_slot(KEYS[item.ledger], item.reminder)
  bring_back(shop, item, step)
  step.handed = nil
  local seen = give_item_back(item, order, step)
  if order.state == 'unpaid' then return true, seen end
  move(shop, step, item.reminder, 'dropped')
  record('reminder.dropped', shop, item, order, step, order.state, seen)
  return false
end

function SETTLE.retry(shop, item, order, step)
  local goes_on, seen = not_handed_over(shop, item, order, step)
  if not goes_on then return end
  move(shop, step, item.reminder, 'planned')
  step.due, step.channel = item.due, item.channel
  if item.tried then step.tried = item.tried end
  wait(shop, step, item.reminder)
  record('reminder.retrying', shop, item, order, step, item.reason, seen)
end

function SETTLE.fail(shop, item, order, step)
  local goes_on, seen = not_handed_over(shop, item, order, step)
  if not goes_on then return end
  move(shop, step, item.reminder, 'failed')
  record('reminder.failed', shop, item, order, step, item.reason, seen)
end
