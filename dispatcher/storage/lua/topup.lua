-- Tops up pools of incentives. A top-up with the reference of an earlier one of its pool changes nothing, and is
-- reused where it has another quantity.
-- uses: args lane incentives
-- head: now:number actor:string
-- item: shop:string pool:string pools:key quantity:number reference:string? details:string
-- reply: for each item: added | repeated | reused
for _, item in ipairs(ITEMS) do
  items_of(KEYS[item.pools], 'added|' .. item.pool)
  if item.reference then items_of(KEYS[item.pools], 'topup|' .. item.pool .. '|' .. item.reference) end
end
local replies = {}
for i, item in ipairs(ITEMS) do
  local key = KEYS[item.pools]
  local reference = item.reference and 'topup|' .. item.pool .. '|' .. item.reference
  if reference and items_of(key, reference) > 0 then
    replies[i] = items_of(key, reference) == item.quantity and 'repeated' or 'reused'
  else
    add_items(key, 'added|' .. item.pool, item.quantity)
    if reference then add_items(key, reference, item.quantity) end
    audit('incentive.topped_up', {shop = item.shop}, item.details)
    replies[i] = 'added'
  end
end
close_lane()
return replies
