-- What each outcome of a hand-off does.
local NEEDS = {sent = {'handed'}, uncertain = {'reason'}, retry = {'due', 'channel', 'reason'}, fail = {'reason'}}

local function check_outcome(i, item)
  local needs = NEEDS[item.outcome] or refuse('item ' .. i .. '.outcome: unknown')
  for _, name in ipairs(needs) do
    if item[name] == nil then refuse('item ' .. i .. '.' .. name .. ': expected for ' .. item.outcome) end
  end
end

local function record(kind, shop, item, order, step, reason)
  audit(kind, about(shop, item.order, order, item.step,
    {channel = step.channel, attempt = step.attempt, reason = reason}), item.details)
end

local SETTLE = {}

function SETTLE.sent(shop, item, order, step)
  step.status, step.handed = 'sent', item.handed
  redis.call('ZADD', KEYS[item.ledger], item.handed, item.reminder)
  record('reminder.sent', shop, item, order, step)
end

function SETTLE.uncertain(shop, item, order, step)
  step.status = 'uncertain'
  record('reminder.uncertain', shop, item, order, step, item.reason)
end

-- Nothing was handed over: planned again, unless the order ended meanwhile.
function SETTLE.retry(shop, item, order, step)
  redis.call('ZREM', KEYS[item.ledger], item.reminder)
  if order.state ~= 'unpaid' then
    step.status = 'dropped'
    return record('reminder.dropped', shop, item, order, step, order.state)
  end
  step.status, step.due, step.channel = 'planned', item.due, item.channel
  if item.tried then step.tried = item.tried end
  wait(shop, step, item.reminder)
  record('reminder.retrying', shop, item, order, step, item.reason)
end

function SETTLE.fail(shop, item, order, step)
  redis.call('ZREM', KEYS[item.ledger], item.reminder)
  if order.state ~= 'unpaid' then
    step.status = 'dropped'
    return record('reminder.dropped', shop, item, order, step, order.state)
  end
  step.status = 'failed'
  record('reminder.failed', shop, item, order, step, item.reason)
end
