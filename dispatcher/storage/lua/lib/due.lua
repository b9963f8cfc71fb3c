-- What leasing must know of a due reminder's order: its text, its customer and whether it is shared; a fourth value where
-- there is none any more, nothing where it cannot be read. The header tells it: whether the step is there and waits, only who decodes
-- the order sees.
local function peek(key, id)
  local text = read(key)
  if not text then return nil, nil, nil, true end
  if text.err then return nil end
  if string.byte(text) == 1 then
    local readable, _, size, shared, customer, start = pcall(struct.unpack, HEADER, text)
    if not readable or start + size - 1 > #text then return nil end
    return text, customer, shared == 1
  end
  local readable, order = pcall(load_order, key)
  local step = readable and order.steps[tonumber(string.match(id, '%d+$'))]
  if readable and not step then return nil, nil, nil, true end
  if step and WAITING[step.status] then return text, order.customer or '', order.shared end
end

-- The text of a ledger or a customer, '' where there is none, nil where it cannot be read.
local function text_by(load, key)
  if not read(key) then return '' end
  local readable, text = load(key)
  return readable and text
end

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

-- Reads what due reminders stand on by a few commands, not by some for each; returns what peek() knows of each, with its
-- order's name. Where decisions look around, the customers' other orders are read too.
local function read_due(shop, ids, look_around)
  local found, names, wanted, of_customers, sharing = {}, {}, {}, {}, {}
  for i, id in ipairs(ids) do
    names[i] = string.match(id, '^(.*)~[1-9]%d*$') or ''
    wanted[2 * i - 1], wanted[2 * i] = HEAD.order_prefix .. names[i], HEAD.facts_prefix .. names[i]
  end
  read_ahead(wanted)
  for i, id in ipairs(ids) do
    local text, customer, shared, gone = peek(wanted[2 * i - 1], id) -- no order is called ''
    local of_customer = shop.name .. '~' .. (customer or '')
    local customer_key, ledger_key = HEAD.customer_prefix .. of_customer, HEAD.ledger_prefix .. of_customer
    found[i] = {id = id, name = names[i], facts_key = wanted[2 * i], text = text, customer = customer, shared = shared,
      customer_key = customer_key, ledger_key = ledger_key, gone = gone}
    of_customers[2 * i - 1], of_customers[2 * i] = customer_key, ledger_key
    if shared and look_around then sharing[customer] = true end
  end
  read_ahead(of_customers)
  read_others(shop, sharing)
  return found
end
