-- Leases and what ends them.

-- Reads the orders and refuses items whose step or shop does not exist, before anything is written.
local function check_items()
  for i, item in ipairs(ITEMS) do
    if HEAD.shops[item.shop] == nil then refuse('item ' .. i .. '.shop: expected the number of a shop') end
    if item.channel and not known(HEAD.shops[item.shop], item.channel) then refuse('item ' .. i .. '.channel: unknown') end
    local ledger = item.ledger and redis.call('TYPE', KEYS[item.ledger]).ok or 'none'
    if ledger ~= 'zset' and ledger ~= 'none' then refuse(KEYS[item.ledger] .. ': expected a zset') end
    load_order(KEYS[item.order_key])
  end
end

-- The order and the step of an item, or nil when they are gone.
local function find(item)
  local order = load_order(KEYS[item.order_key])
  if order and order.steps[item.step] then return order, order.steps[item.step] end
end

local function finish_lease(step, id, answer)
  redis.call('ZREM', LEASES, id)
  step.answered, step.answer = step.token, answer
  step.token, step.lease_end = nil, nil
end

-- Puts a leased reminder back where it was, to be decided again.
local function put_back(shop, step, id, answer)
  finish_lease(step, id, answer)
  wait(shop, step, id)
end

-- A reminder that was leased too often without a commit would be leased for ever: it ends here.
local function give_up(shop, item, order, step, id, details)
  finish_lease(step, id, 'failed')
  move(step, 'failed')
  audit('reminder.failed', about(shop, item.order, order, item.step,
    {channel = step.channel, attempt = step.attempt, reason = 'internal'}), details)
end
