-- What is kept of customers (customers.StoredCustomer), each read at most once a call and written once at its end.
-- Its `rev` is the number of the record that changed it last, which never comes again.
local customers, customers_changed = {}, {}

-- Whether all of it that is reckoned with is of its type, so that nothing fails on it after a write.
local function is_customer(known)
  if type(known) ~= 'table' or type(known.rev) ~= 'number' then return false end
  return type(known.replied or 0) == 'number' and type(known.paid or 0) == 'number'
    and type(known.opted_out or {}) == 'table'
end

-- What is kept of a customer, with its text; nothing said where there is none, and nil where it cannot be read.
local function load_customer(key)
  if customers[key] == nil then
    local text = read(key)
    local ok, known = type(text) ~= 'table', {rev = 0}
    if ok and text then ok, known = pcall(cmsgpack.unpack, text) end
    customers[key] = ok and is_customer(known) and {known, text or ''} or {}
  end
  return unpack(customers[key])
end

local function need_customer(key)
  return load_customer(key) or refuse(key .. ': not a customer')
end

local function store_customer(key, known)
  known.rev = seq
  customers_changed[key] = known
end

-- Has what changed written with the orders.
local function save_customers()
  for key, known in pairs(customers_changed) do put(key, cmsgpack.pack(known)) end
end
