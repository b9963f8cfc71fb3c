-- Reminders that another one carries: one message names several orders. What is carried is dropped as merged while
-- its carrier is under way or was handed over, and comes back when nothing was handed over, or stays dropped for its
-- order's end.
local NONE = {}

local function key_of(shop, order)
  return HEAD.order_prefix .. shop.name .. '~' .. order
end

-- Reads the orders that a message names beside its own, and refuses what carry() could trip over.
local function check_carries(i, item)
  if not item.carries then return end
  if item.kind ~= 'send' then refuse('item ' .. i .. '.carries: expected for send alone') end
  local named = {[item.order] = true}
  for n, carry in ipairs(item.carries) do
    local where = 'item ' .. i .. '.carries ' .. n
    check(where, carry, 'carry')
    if named[carry.order] then refuse(where .. '.order: expected another order') end
    named[carry.order] = true
    load_order(key_of(HEAD.shops[item.shop], carry.order))
  end
end

-- Whether each reminder to be carried still waits where the decision saw it; a lease of it is no more than a mark.
local function may_carry(shop, item, carrier)
  for _, carry in ipairs(item.carries or NONE) do
    local order = load_order(key_of(shop, carry.order))
    local step = order and order.steps[carry.step]
    if not step or order.state ~= 'unpaid' or order.rev ~= carry.rev then return false end
    if order.customer ~= carrier.customer or step.status ~= 'planned' or step.due ~= carry.due then return false end
    if item.per_order and used(order, carry.step) >= item.per_order then return false end
  end
  return true
end

-- Lets a step carry the reminders that its message names.
local function carry_others(shop, item, step)
  for n, carry in ipairs(item.carries or NONE) do
    local key, id = key_of(shop, carry.order), reminder_id(shop, carry.order, carry.step)
    local order = load_order(key)
    local other = order.steps[carry.step]
    withdraw(shop, other, id)
    tokens[id] = nil
    move(shop, other, id, 'dropped')
    audit('reminder.dropped', about(shop, carry.order, order, carry.step,
      {channel = other.channel, attempt = other.attempt, reason = 'merged', policy = item.policy}), nil,
      '{"carrier":' .. cjson.encode(item.reminder) .. '}')
    other.channel, other.carrier, other.handed, other.leases = item.channel, item.reminder, now, 0
    store_order(key, order)
    step.carries = step.carries or {}
    step.carries[n] = id
  end
end

-- The carried orders of a step, read before the first write.
local function load_carried(step)
  for _, id in ipairs(step.carries or NONE) do load_order(HEAD.order_prefix .. string.match(id, '^(.*)~%d+$')) end
end

-- Nothing was handed over: what a step carried waits again; where its order has ended meanwhile, it is told that
-- this is what it was dropped for, and no message stands for it any more.
local function bring_back(shop, item, step)
  for _, id in ipairs(step.carries or NONE) do
    local name, number = string.match(id, '^(.*)~(%d+)$')
    local key = HEAD.order_prefix .. name
    local order = load_order(key)
    local other = order and order.steps[tonumber(number)]
    if other and other.carrier == item.reminder then
      other.carrier, other.handed = nil, nil
      if order.state == 'unpaid' then
        move(shop, other, id, 'planned')
        other.due = item.back or now
        wait(shop, other, id)
        audit('reminder.returned', about(shop, string.sub(name, #shop.name + 2), order, tonumber(number),
          {channel = other.channel, attempt = other.attempt, reason = 'merged'}), item.back_details)
      else
        audit('reminder.dropped', about(shop, string.sub(name, #shop.name + 2), order, tonumber(number),
          {channel = other.channel, attempt = other.attempt, reason = order.state}), nil,
          '{"carrier":' .. cjson.encode(item.reminder) .. '}')
      end
      store_order(key, order)
    end
  end
  step.carries = nil
end
