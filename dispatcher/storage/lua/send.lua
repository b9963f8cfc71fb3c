-- Commits hand-offs whose order, customer and ledger are to the letter as their decisions saw them, by swapping texts;
-- all others are left to commit.lua.
-- uses: args lane texts orders queues tokens rows
-- head: now:number actor:string? shops:list channel:string token:number shop_rev:number policy:number quarter:number order_prefix:string ledger_prefix:string customer_prefix:string text_prefix:string
-- shop: name:string key:key due:list status:list
-- row: order:string step:number customer:string said:string was:string before:string after:string marks_were:string marks:string details:string text:string template:string attempt:number opens:number closes:number
-- reply: the instant of the call, and the numbers of the rows that were left
local shop = HEAD.shops[1]
if shop == nil or not known(shop, HEAD.channel) then refuse('head.channel: unknown') end
local keys, ids = {}, {}
for_rows(function(n, at, ...)
  check_row(n, ...)
  local order, step, customer = ...
  local of_customer = shop.name .. '~' .. customer
  keys[3 * n - 2] = HEAD.order_prefix .. shop.name .. '~' .. order
  keys[3 * n - 1], keys[3 * n] = HEAD.ledger_prefix .. of_customer, HEAD.customer_prefix .. of_customer
  ids[n] = reminder_id(shop, order, step)
  return at
end)
read_ahead(keys)
read_tokens(ids)
local instant, mark = cmsgpack.pack(now), cmsgpack.pack(4 * now + HEAD.quarter)
-- The texts have room for instants of nine bytes.
local stands = #instant == 9 and shop.rev == HEAD.shop_rev and not paused(shop, HEAD.channel)
local left, taken = {now}, 0
for_rows(function(n, at, order, step, customer, said, was, before, after, marks_were, marks, details, text, template, attempt, opens, closes)
  local order_key, ledger_key = keys[3 * n - 2], keys[3 * n - 1]
  if stands and tokens[ids[n]] == HEAD.token and opens <= now and now < closes and begins(order_key, was)
    and text_at(ledger_key) == marks_were and text_at(keys[3 * n]) == said then
    append('reminder.sending', shop.name, order, customer, step, attempt, HEAD.channel, '', HEAD.policy, template, '', details)
    swap_order(order_key, was, before .. instant .. after)
    swap(ledger_key, marks .. mark)
    put(HEAD.text_prefix .. ids[n], text)
    taken = taken + 1
  else
    left[#left + 1] = n
  end
  return at
end)
if taken > 0 then count('kind|reminder.sending|' .. HEAD.channel .. '|', taken) end
save_orders()
close_lane()
return left
