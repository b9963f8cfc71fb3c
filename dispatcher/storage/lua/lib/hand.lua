-- Hand-offs by people: a further step of their order, named by who told of it, which stands in its customer's ledger
-- as any other does.
local function handed_before(order, hand)
  for _, step in ipairs(order.steps) do
    if step.hand == hand then return true end
  end
  return false
end

-- Records a hand-off; `hand` has its id, channel, instant `handed`, and its agent, policy and details, if any.
local function add_hand_off(shop, id, order, ledger, hand, seen)
  local number = #order.steps + 1
  local reminder = reminder_id(shop, id, number)
  local step = {status = 'planned', moment = hand.handed, due = hand.handed, channel = hand.channel, attempt = 1,
    handed = hand.handed, agent = hand.agent, hand = hand.id}
  move(shop, step, reminder, 'sending')
  move(shop, step, reminder, 'sent')
  order.steps[number] = step
  take_slot(ledger, reminder, hand.handed, hand.channel)
  audit('reminder.sent', about(shop, id, order, number, {channel = hand.channel, attempt = 1, policy = hand.policy}),
    hand.details, seen)
end
