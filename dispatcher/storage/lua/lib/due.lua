-- Reads what due reminders stand on by a few commands, not by some for each; returns the order's name of each id.
local function read_due(shop, ids)
  local names, wanted, of_customers = {}, {}, {}
  for _, id in ipairs(ids) do
    names[id] = string.match(id, '^(.*)~%d+$') or id
    wanted[#wanted + 1], wanted[#wanted + 2] = HEAD.order_prefix .. names[id], HEAD.facts_prefix .. names[id]
  end
  read_ahead(wanted)
  for _, id in ipairs(ids) do
    local readable, order = pcall(load_order, HEAD.order_prefix .. names[id])
    if readable and order and order.customer then
      of_customers[#of_customers + 1] = HEAD.customer_prefix .. shop.name .. '~' .. order.customer
    end
  end
  read_ahead(of_customers)
  return names
end
