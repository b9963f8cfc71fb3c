-- Texts of the lane, each read at most once a call and written at its end, many by one command.
local writes = {}

-- Calls a command on many arguments, as few at once as the stack holds; a command each costs several times more. Returns
-- what the calls answered together, where that is a number.
local function in_chunks(command, key, values)
  local answered = 0
  for i = 1, #values, 1000 do
    local last = math.min(i + 999, #values)
    if key then
      answered = answered + redis.call(command, key, unpack(values, i, last))
    else
      redis.call(command, unpack(values, i, last))
    end
  end
  return answered
end

-- Texts that were read ahead, many by one command; false where a key holds nothing.
local ahead = {}

local function read_ahead(keys)
  for first = 1, #keys, 1000 do
    local nothing = {}
    for n, text in ipairs(redis.call('MGET', unpack(keys, first, math.min(first + 999, #keys)))) do
      local key = keys[first + n - 1]
      if text then ahead[key] = text else nothing[#nothing + 1] = key end
    end
    -- What is no string is answered like nothing: unless it is nothing, each is asked for by itself.
    if #nothing > 0 and redis.call('EXISTS', unpack(nothing)) == 0 then
      for _, key in ipairs(nothing) do ahead[key] = false end
    end
  end
end

-- A text as it was before this call, false where there is none, or an error where the key holds something else.
local function read(key)
  if ahead[key] ~= nil then return ahead[key] end
  return redis.pcall('GET', key)
end

-- Has a text written with the orders.
local function put(key, text)
  writes[#writes + 1], writes[#writes + 2] = key, text
end
