-- Events that were taken before: what they were answered first, by shop and event.
local REMEMBERED = {accepted = true, stale = true}
local ids, answered, seen_now = {}, {}, {}

-- Reads what was answered first to the events of a shop that were taken before: a bucket a day, newest first.
local function read_answers(shop)
  if #shop.buckets == 0 then refuse('shop ' .. shop.name .. '.buckets: expected keys') end
  for _, key in ipairs(shop.buckets) do
    if not is_key(key) then refuse('shop ' .. shop.name .. '.buckets: expected keys') end
    local found = redis.call('TYPE', KEYS[key]).ok
    if found ~= 'hash' and found ~= 'none' then refuse(KEYS[key] .. ': expected a hash') end
    for first = 1, found == 'hash' and #ids[shop] or 0, 1000 do
      local last = math.min(first + 999, #ids[shop])
      for n, text in ipairs(redis.call('HMGET', KEYS[key], unpack(ids[shop], first, last))) do
        local id = ids[shop][first + n - 1]
        if text and not answered[shop][id] then answered[shop][id] = decode(KEYS[key], text) end
      end
    end
  end
end

-- What was answered first to an event of this id, before or in this call.
local function remembered(shop, event)
  local first = answered[shop][event.seen]
  if first == nil then return nil end
  if first.digest ~= event.digest then return {status = 'reused'} end
  return {status = 'duplicate', reminders = first.reminders, stopped = first.stopped, too_late = first.too_late,
    carriers = first.carriers}
end

-- Has what an event was answered written, as the text of a reply with the event's digest.
local function remember_text(shop, id, text)
  local seen = seen_now[shop] or {}
  seen[#seen + 1], seen[#seen + 2] = id, text
  seen_now[shop] = seen
end

local function remember(shop, event, reply)
  if not REMEMBERED[reply.status] then return end
  reply.digest = event.digest
  answered[shop][event.seen] = reply
  remember_text(shop, event.seen, cmsgpack.pack(reply))
end

local function save_answers()
  for shop, seen in pairs(seen_now) do
    in_chunks('HSET', KEYS[shop.buckets[1]], seen)
    redis.call('ZADD', TIMERS, shop.seen_until, shop.seen_timer)
  end
end
