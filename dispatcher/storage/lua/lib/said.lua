-- What an event says of a customer, and what a payment does.
local SAYS = {['customer.opted_out'] = true, ['customer.replied'] = true}

-- What only decisions of the next days look at is forgotten then, on the hour, so that many are at once.
local HOUR = 3600000
local function forget_later(shop, customer)
  set_timer(math.ceil((now + HEAD.customer_kept) / HOUR) * HOUR, shop.customer_timer .. customer)
end

-- A payment counts from when it was made, at the latest now: it may reach us late, or again after a restore.
-- What cannot be read is left as it is: nothing is sent to that customer, and a payment must be taken.
local function note_payment(shop, customer, at)
  local key = HEAD.customer_prefix .. shop.name .. '~' .. customer
  local known = load_customer(key)
  if not known then return end
  known.paid = math.max(known.paid or 0, math.min(at, now))
  store_customer(key, known)
  forget_later(shop, customer)
end

-- An opt-out stands from the first one on; of replies the latest counts, at the latest now.
local function say(shop, event)
  local key = KEYS[event.customer_key]
  local known = load_customer(key)
  audit(event.type, {shop = shop.name, customer = event.customer, channel = event.channel}, event.details,
    '{"event":' .. cjson.encode(event.event) .. '}')
  if event.type == 'customer.opted_out' then
    known.opted_out = known.opted_out or {}
    local channel = event.channel or '*'
    known.opted_out[channel] = known.opted_out[channel] or now
  else
    known.replied = math.max(known.replied or 0, math.min(event.time, now))
    forget_later(shop, event.customer)
  end
  store_customer(key, known)
  return {status = 'accepted', reminders = 0}
end
