-- Has customers left alone, or ends that. What is so already stays as it is, without a record.
-- uses: args lane texts orders customers
-- head: now:number actor:string
-- item: kind:string shop_name:string customer:string customer_key:key details:string
-- reply: for each item: paused | resumed | unchanged
for i, item in ipairs(ITEMS) do
  if item.kind ~= 'pause' and item.kind ~= 'resume' then refuse('item ' .. i .. '.kind: unknown') end
  need_customer(KEYS[item.customer_key])
end

-- Whether nothing is left to be kept of a customer.
local function is_stranger(known)
  for name in pairs(known) do
    if name ~= 'rev' then return false end
  end
  return true
end

local replies = {}
for i, item in ipairs(ITEMS) do
  local known = need_customer(KEYS[item.customer_key])
  if (known.paused ~= nil) == (item.kind == 'pause') then
    replies[i] = 'unchanged'
  else
    replies[i] = item.kind == 'pause' and 'paused' or 'resumed'
    audit('operator.' .. replies[i], {shop = item.shop_name, customer = item.customer}, item.details)
    local pause = item.kind == 'pause'
    known.paused, known.paused_by = pause and now or nil, pause and HEAD.actor or nil
    if is_stranger(known) then
      redis.call('DEL', KEYS[item.customer_key])
      customers_changed[KEYS[item.customer_key]] = nil
    else
      store_customer(KEYS[item.customer_key], known)
    end
  end
end
save_customers()
save_orders()
close_lane()
return replies
