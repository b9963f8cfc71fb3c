-- What the result of a call does to its order, beside ending the task: what was decided about the order's other
-- reminders before is decided again. A result that is not here does nothing. Why the order was not paid is kept,
-- whatever the result: the last told.
local RESULTS = {}

function RESULTS.promised(_, item, order)
  order.promised = item.said
end

-- Who wants to be called back is left in peace until then; the call itself is made by hand.
RESULTS.call_back = RESULTS.promised

function RESULTS.refused(shop, item, order)
  order.refused = now
  for number in ipairs(order.steps) do drop_waiting(shop, item.order, order, number, 'refused') end
end

-- Whose number it is not is not written to there either, for any order of the shop.
function RESULTS.wrong_number(shop, item, order, step)
  order.given_up = {step.channel}
  if item.address then block_address(shop, item) end
end

local function check_result(i, item)
  if RESULTS[item.result] == RESULTS.promised and not item.said then
    refuse('item ' .. i .. '.said: expected for ' .. item.result)
  end
  if item.address and not (item.addresses and item.about and item.told) then
    refuse('item ' .. i .. ': expected addresses, about and told with an address')
  end
  check_block(item)
end

-- What the record of a completed call says of its result: that a wrong number could not be blocked.
local function seen_of_result(item)
  if item.result ~= 'wrong_number' or (item.address and not blocks_full(item)) then return nil end
  return '{"blocked":false}'
end

local function follow_result(shop, item, order, step)
  local does = RESULTS[item.result]
  if not does and not item.why then return end
  order.rev = order.rev + 1
  order.told = item.why or order.told
  if does then does(shop, item, order, step) end
end
