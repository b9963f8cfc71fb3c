-- The fencing tokens of leased reminders, by reminder: the instants at which their leases end (see attempts.lua).
local tokens = {}

local function read_tokens(ids)
  for first = 1, #ids, 1000 do
    local found = redis.call('ZMSCORE', LEASES, unpack(ids, first, math.min(first + 999, #ids)))
    for n, token in ipairs(found) do tokens[ids[first + n - 1]] = tonumber(token or nil) end
  end
end
