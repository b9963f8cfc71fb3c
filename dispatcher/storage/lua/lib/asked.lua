-- A hand-off that an agent makes: a commit of its own, which is the hand-off at once. No second slot is taken for an
-- id; who repeats it reads the order again, where its step tells whose it is.
NEEDS.hand = {'id', 'handed', 'agent', 'channel', 'ledger', 'valid_until', 'day_start', 'day_end'}

local function commit_hand(shop, item)
  local order = load_order(KEYS[item.order_key])
  if not order or not order.customer then return 'lost' end
  if handed_before(order, item.id) then return 'changed' end
  if item.step ~= #order.steps + 1 or item.step > MOST_STEPS or not stands(shop, item, order) then return 'changed' end
  add_hand_off(shop, item.order, order, KEYS[item.ledger], item)
  order.steps[item.step].person = item.person
  keep_pace(item, item.handed)
  store_order(KEYS[item.order_key], order)
  return 'committed'
end
