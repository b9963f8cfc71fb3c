-- Leases and what ends them. A lease's fencing token is the instant at which it ends, which no other lease of the
-- lane shares; it stands in LEASES while the lease lasts, and nowhere else.

-- Reads the orders, and ahead more `keys` with them, and refuses items whose step or shop does not exist, before
-- anything is written.
local function check_items(keys)
  keys = keys or {}
  for _, item in ipairs(ITEMS) do
    keys[#keys + 1] = KEYS[item.order_key]
    keys[#keys + 1] = KEYS[item.ledger] -- which not every item has
  end
  read_ahead(keys)
  for i, item in ipairs(ITEMS) do
    if HEAD.shops[item.shop] == nil then refuse('item ' .. i .. '.shop: expected the number of a shop') end
    if item.channel and not known(HEAD.shops[item.shop], item.channel) then refuse('item ' .. i .. '.channel: unknown') end
    if item.ledger then slots(KEYS[item.ledger]) end
    load_order(KEYS[item.order_key])
  end
  local ids = {}
  for i, item in ipairs(ITEMS) do ids[i] = item.reminder end
  read_tokens(ids)
end

-- The order and the step of an item, or nil when they are gone.
local function find(item)
  local order = load_order(KEYS[item.order_key])
  if order and order.steps[item.step] then return order, order.steps[item.step] end
end

local function finish_lease(step, id, answer)
  redis.call('ZREM', LEASES, id)
  step.answered, step.answer = tokens[id], answer
  tokens[id] = nil
end

-- Puts a leased reminder back where it was, to be decided again.
local function put_back(shop, step, id, answer)
  finish_lease(step, id, answer)
  wait(shop, step, id)
end

-- Puts back what was leased without a commit, of which nothing is audited; leased so too often it would be leased
-- for ever, and ends here: then what it ended for is.
local function let_go(shop, item, order, step, answer, details)
  step.leases = (step.leases or 0) + 1
  if step.leases < HEAD.max_leases then
    put_back(shop, step, item.reminder, answer)
    return answer
  end
  finish_lease(step, item.reminder, 'failed')
  move(shop, step, item.reminder, 'failed')
  audit('reminder.failed', about(shop, item.order, order, item.step,
    {channel = step.channel, attempt = step.attempt, reason = 'internal'}), details)
  return 'failed'
end
