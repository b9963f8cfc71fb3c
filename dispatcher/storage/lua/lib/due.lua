-- Reads what others_of() will look at for some customers, by a command each and a few for all.
local function read_others(shop, customers)
  local wanted = {}
  for customer in pairs(customers) do
    for _, id in ipairs(unpaid_of(shop, customer)) do
      local name = shop.name .. '~' .. id
      if ahead[HEAD.order_prefix .. name] == nil then
        wanted[#wanted + 1], wanted[#wanted + 2] = HEAD.order_prefix .. name, HEAD.facts_prefix .. name
      end
    end
  end
  read_ahead(wanted)
end

-- Reads what due reminders stand on by a few commands, not by some for each; returns the order's name of each id.
-- Where decisions look around, that is what the customers' other orders are, too.
local function read_due(shop, ids, look_around)
  local names, wanted, of_customers, sharing = {}, {}, {}, {}
  for _, id in ipairs(ids) do
    names[id] = string.match(id, '^(.*)~%d+$') or id
    wanted[#wanted + 1], wanted[#wanted + 2] = HEAD.order_prefix .. names[id], HEAD.facts_prefix .. names[id]
  end
  read_ahead(wanted)
  for _, id in ipairs(ids) do
    local readable, order = pcall(load_order, HEAD.order_prefix .. names[id])
    if readable and order and order.customer then
      local customer, n = shop.name .. '~' .. order.customer, #of_customers
      of_customers[n + 1], of_customers[n + 2] = HEAD.customer_prefix .. customer, HEAD.ledger_prefix .. customer
      if order.shared and look_around then sharing[order.customer] = true end
    end
  end
  read_ahead(of_customers)
  read_others(shop, sharing)
  return names
end
