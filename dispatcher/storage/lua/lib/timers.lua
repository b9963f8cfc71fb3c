-- Timers of the lane, by which housekeeping comes back to an order or a customer: written once a call.
local timers_set = {}

local function set_timer(at, name)
  timers_set[#timers_set + 1], timers_set[#timers_set + 2] = string.format('%d', at), name
end

local function save_timers()
  in_chunks('ZADD', TIMERS, timers_set)
end
