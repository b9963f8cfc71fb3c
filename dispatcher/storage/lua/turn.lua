-- What time alone does to orders: closes unpaid ones, retires finished ones after their retention, forgets old
-- events, and what is no longer looked at of customers.
-- uses: args lane texts orders ledgers customers queues others endings turn
-- head: now:number shops:list retention:number slot_kept:number unpaid_prefix:string
-- shop: name:string key:key due:list status:list
-- item: timer:string shop:number order:string? order_key:key? ledger:key? shared:list? erase:list? seen_key:key? customer:string? customer_key:key?
-- reply: for each item: closed | retired | forgotten | later | gone
local keys = {}
for _, item in ipairs(ITEMS) do
  keys[#keys + 1] = KEYS[item.order_key]
  keys[#keys + 1] = KEYS[item.ledger] -- which not every item has
end
read_ahead(keys)
for i, item in ipairs(ITEMS) do check_timer(i, item) end
local replies = {}
for i, item in ipairs(ITEMS) do replies[i] = turn(HEAD.shops[item.shop], item) end
save_customers()
save_ledgers()
save_orders()
save_queues()
close_lane()
return replies
