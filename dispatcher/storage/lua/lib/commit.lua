-- What each kind of decision does. Every function answers and leaves the step changed.
local NEEDS = {
  send = {'token', 'channel', 'ledger', 'valid_until', 'day_start', 'day_end', 'template', 'text', 'text_key'},
  open = {'token', 'channel', 'due', 'valid_until', 'day_start', 'day_end', 'ledger', 'template', 'text', 'text_key'},
  claim = {'handed', 'agent', 'channel', 'ledger', 'valid_until', 'day_start', 'day_end', 'template', 'text', 'text_key'},
  defer = {'token', 'channel', 'due', 'reason'},
  drop = {'token', 'reason'},
  release = {'token'},
}

local function check_commit(i, item)
  local needs = NEEDS[item.kind] or refuse('item ' .. i .. '.kind: unknown')
  for n = 1, #needs do
    if item[needs[n]] == nil then refuse('item ' .. i .. '.' .. needs[n] .. ': expected for ' .. item.kind) end
  end
  check_pace(item)
  if item.customer_key then need_customer(KEYS[item.customer_key]) end
  check_carries(i, item)
  check_offer(i, item)
end

-- Whether the one who asks still holds the reminder: a worker by its token, a person while the task is open.
local function holds(item, step)
  if item.kind == 'claim' then return step.status == 'open' end
  return WAITING[step.status] == true and item.token ~= nil and tokens[item.reminder] == item.token
end

-- Whether order, customer, policy and pauses are as the decision saw them.
local function unchanged(shop, item, order)
  if item.customer_key and need_customer(KEYS[item.customer_key]).rev ~= (item.customer_rev or 0) then return false end
  return order.state == 'unpaid' and order.rev == item.rev and shop.rev == item.shop_rev
end

-- Whether all that a hand-off was decided on still holds, the customer's slot included.
local function stands(shop, item, order)
  if not unchanged(shop, item, order) or paused(shop, item.channel) then return false end
  if not may_carry(shop, item, order) or not to_be_had(item, order) then return false end
  if now >= item.valid_until or now < item.day_start or now >= item.day_end then return false end
  if item.per_order and used(order, item.step) >= item.per_order then return false end
  if channel_full(item) or past_pace(item) or too_many_tasks(shop, item) then return false end
  local today, last, first, past = 0, -math.huge, 4 * item.day_start, 4 * item.day_end
  for _, mark in pairs(slots(KEYS[item.ledger])) do
    if mark >= first and mark < past then today = today + 1 end
    last = math.max(last, mark)
  end
  if item.per_day and today >= item.per_day then return false end
  return not item.min_gap or now - math.floor(last / 4) >= item.min_gap
end

local function record(kind, shop, item, order, step)
  audit(kind, about(shop, item.order, order, item.step, {channel = item.channel or step.channel, attempt = step.attempt,
    reason = item.reason, policy = item.policy, template = item.template}), item.details)
end

-- What changed since the decision is decided again; that says nothing against the reminder.
local function again(shop, item, step)
  put_back(shop, step, item.reminder, 'changed')
  step.leases = 0
  return 'changed'
end

-- COMMIT.send is done in texts too, by storage/swapping.py; what one does to an order the other must.
local COMMIT = {}

function COMMIT.send(shop, item, order, step)
  if not stands(shop, item, order) or not allowed(step, 'sending') then return again(shop, item, step) end
  move(shop, step, item.reminder, 'sending')
  step.attempt, step.channel, step.handed = step.attempt + 1, item.channel, now
  step.answered, step.answer, step.leases = item.token, 'committed', 0
  hand_over(item, step, now)
  take_item(item, order, step)
  put(KEYS[item.text_key], item.text)
  record('reminder.sending', shop, item, order, step)
  carry_others(shop, item, step)
  return 'committed'
end

function COMMIT.open(shop, item, order, step)
  if not stands(shop, item, order) or not allowed(step, 'open') then return again(shop, item, step) end
  finish_lease(step, item.reminder, 'committed')
  move(shop, step, item.reminder, 'open')
  step.due, step.channel, step.leases = item.due, item.channel, 0
  wait(shop, step, item.reminder)
  put(KEYS[item.text_key], item.text)
  record('task.opened', shop, item, order, step)
  return 'committed'
end

function COMMIT.claim(shop, item, order, step)
  if not stands(shop, item, order) or not allowed(step, 'claimed') then return 'changed' end
  withdraw(shop, step, item.reminder)
  move(shop, step, item.reminder, 'claimed')
  step.attempt, step.handed, step.leases, step.agent = step.attempt + 1, item.handed, 0, item.agent
  step.valid_until, step.released = item.valid_until, nil
  step.called, step.masked = item.called, item.masked
  hand_over(item, step, item.handed)
  put(KEYS[item.text_key], item.text)
  record('task.claimed', shop, item, order, step)
  return 'committed'
end

function COMMIT.defer(shop, item, order, step)
  if not unchanged(shop, item, order) then return again(shop, item, step) end
  local overflows = step.status == 'open' and item.channel ~= step.channel
  finish_lease(step, item.reminder, 'committed')
  if overflows then move(shop, step, item.reminder, 'planned') end
  step.due, step.channel, step.leases = item.due, item.channel, 0
  if item.tried then step.tried = item.tried end
  wait(shop, step, item.reminder)
  record(overflows and 'task.overflowed' or 'reminder.deferred', shop, item, order, step)
  return 'committed'
end

function COMMIT.drop(shop, item, order, step)
  if not unchanged(shop, item, order) then return again(shop, item, step) end
  finish_lease(step, item.reminder, 'committed')
  move(shop, step, item.reminder, 'dropped')
  step.leases = 0
  record('reminder.dropped', shop, item, order, step)
  return 'committed'
end

function COMMIT.release(shop, item, order, step)
  return let_go(shop, item, order, step, 'changed', item.details)
end
