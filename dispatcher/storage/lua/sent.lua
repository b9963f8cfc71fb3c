-- Records that messages were handed over where nothing else happened to their order and ledger since the commit, by
-- swapping texts; all others are left to settle.lua.
-- uses: args lane texts orders queues tokens late rows
-- head: now:number actor:string? shops:list channel:string token:number quarter:number committed:number order_prefix:string ledger_prefix:string
-- shop: name:string key:key due:list status:list
-- row: order:string step:number customer:string before:string after:string becomes:string marks:string details:string attempt:number handed:number due:number
-- reply: the numbers of the rows that were left
local shop = HEAD.shops[1]
if shop == nil or not known(shop, HEAD.channel) then refuse('head.channel: unknown') end
local keys, ids = {}, {}
for_rows(function(n, at, ...)
  check_row(n, ...)
  local order, step, customer = ...
  keys[2 * n - 1] = HEAD.order_prefix .. shop.name .. '~' .. order
  keys[2 * n] = HEAD.ledger_prefix .. shop.name .. '~' .. customer
  ids[n] = reminder_id(shop, order, step)
  return at
end)
read_ahead(keys)
read_tokens(ids)
local instant, mark = cmsgpack.pack(HEAD.committed), cmsgpack.pack(4 * HEAD.committed + HEAD.quarter)
local left, settled = {}, {}
for_rows(function(n, at, order, step, customer, before, after, becomes, marks, details, attempt, handed, due)
  local was = before .. instant .. after
  if tokens[ids[n]] == HEAD.token and begins(keys[2 * n - 1], was) and text_at(keys[2 * n]) == marks .. mark then
    append('reminder.sent', shop.name, order, customer, step, attempt, HEAD.channel, '', nil, '', '', details)
    swap_order(keys[2 * n - 1], was, becomes)
    swap(keys[2 * n], marks .. cmsgpack.pack(4 * handed + HEAD.quarter))
    count_late(handed, due)
    settled[#settled + 1], tokens[ids[n]] = ids[n], nil
  else
    left[#left + 1] = n
  end
  return at
end)
if #settled > 0 then count('kind|reminder.sent|' .. HEAD.channel .. '|', #settled) end
in_chunks('ZREM', LEASES, settled)
save_orders()
close_lane()
return left
