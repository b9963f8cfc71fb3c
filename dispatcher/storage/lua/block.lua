-- Blocks addresses of a shop, or ends that. What is so already stays as it is, without a record.
-- uses: args lane texts orders queues blocked
-- head: now:number actor:string shops:list
-- shop: name:string key:key due:list status:list
-- item: kind:string shop:number address:string addresses:key about:string? told:string
-- reply: for each item: blocked | unblocked | unchanged | full
for i, item in ipairs(ITEMS) do
  if item.kind ~= 'block' and item.kind ~= 'unblock' then refuse('item ' .. i .. '.kind: unknown') end
  if item.kind == 'block' and not item.about then refuse('item ' .. i .. '.about: expected for block') end
  if HEAD.shops[item.shop] == nil then refuse('item ' .. i .. '.shop: expected the number of a shop') end
  check_block(item)
end

local replies = {}
for i, item in ipairs(ITEMS) do
  local change = item.kind == 'block' and block_address or unblock_address
  replies[i] = change(HEAD.shops[item.shop], item)
end
save_orders()
save_queues()
close_lane()
return replies
