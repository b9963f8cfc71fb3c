-- Queues of one shop and channel, the lane's index that says which of them is due next, and the shop's index of
-- reminders in the statuses that somebody looks for.
local function need_sorted_set(i, shop, name, key)
  if not is_key(key) then refuse('shop ' .. i .. '.' .. name .. ': expected key') end
  local found = redis.call('TYPE', KEYS[key]).ok
  if found ~= 'zset' and found ~= 'none' then refuse(KEYS[key] .. ': expected a zset, got a ' .. found) end
end
for i, shop in ipairs(HEAD.shops) do
  check('shop ' .. i, shop, 'shop')
  local rev, paused = unpack(redis.call('HMGET', KEYS[shop.key], 'rev', 'paused'))
  shop.rev, shop.paused = tonumber(rev or 0), paused or ''
  for _, channel in ipairs(CHANNELS) do need_sorted_set(i, shop, 'due.' .. channel, shop.due[channel]) end
  for status in pairs(INDEXED) do need_sorted_set(i, shop, 'status.' .. status, shop.status[status]) end
end
local touched = {}

-- Reminders that wait since this call: key of a queue -> reminder -> when it is due; written by one command a queue.
local waiting = {}

local function touch(shop, channel)
  touched[shop.name .. '~' .. channel] = {shop, channel}
end

-- Whether `channel` is one this shop has a queue for.
local function known(shop, channel)
  return shop.due[channel] ~= nil
end

local function wait_for(shop, channel, due, id)
  local key = shop.due[channel]
  waiting[key] = waiting[key] or {}
  waiting[key][id] = TEXTS[due]
  touch(shop, channel)
end

local function wait(shop, step, id)
  wait_for(shop, step.channel, step.due, id)
end

-- Takes a reminder from wherever it waits: its queue or the leases.
local function withdraw(shop, step, id)
  local queue = waiting[shop.due[step.channel]]
  if queue then queue[id] = nil end
  if redis.call('ZREM', KEYS[shop.due[step.channel]], id) == 1 then
    count('waiting|' .. step.channel, -1)
    touch(shop, step.channel)
  else
    redis.call('ZREM', LEASES, id)
  end
end

local function paused(shop, channel)
  if shop.paused == '' then return false end
  return string.find(shop.paused, ',' .. channel .. ',', 1, true) ~= nil
    or string.find(shop.paused, ',*,', 1, true) ~= nil
end

local function save_waiting(key, channel)
  if not waiting[key] then return end
  local scores = {}
  for id, due in pairs(waiting[key]) do
    scores[#scores + 1], scores[#scores + 2] = due, id
  end
  count('waiting|' .. channel, in_chunks('ZADD', KEYS[key], scores))
end

local function save_queues()
  for name, queue in pairs(touched) do
    local shop, channel = queue[1], queue[2]
    save_waiting(shop.due[channel], channel)
    local head = redis.call('ZRANGE', KEYS[shop.due[channel]], 0, 0, 'WITHSCORES')
    if head[2] and not paused(shop, channel) then
      redis.call('ZADD', READY, head[2], name)
    else
      redis.call('ZREM', READY, name)
    end
  end
end
