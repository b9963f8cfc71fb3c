-- Rows in ARGV[3], read without a table each. What they are about is compared and written as texts, not decoded: that
-- an order, a ledger or a customer is to the letter what was decided on says all that a look at it could.
local ROWS = ARGV[3] or ''
local FIXARRAY = 15 -- values at most whose number takes one byte before them, else three

-- Gives `act` the place behind a row, the row's number and its values; `act` returns that place.
local function for_rows(act)
  local at, n = ROWS ~= '' and 0 or -1, 0
  while at >= 0 do
    n = n + 1
    at = act(n, cmsgpack.unpack_limit(ROWS, ROW_WIDTH, at + (ROW_WIDTH > FIXARRAY and 3 or 1)))
  end
end

local function check_row(n, ...)
  local done, right = pcall(RIGHT.row, ...)
  if not (done and right) then refuse('row ' .. n .. ': expected ' .. ROW) end
end

-- The text at a key as it stands in this call, '' where there is none, nil where there is something else.
local function text_at(key)
  local text = read(key)
  if not text then return '' end
  return not text.err and text or nil
end

local function begins(key, start)
  local text = text_at(key)
  return text ~= nil and string.sub(text, 1, #start) == start
end

local function swap(key, text)
  ahead[key] = text
  put(key, text)
end

-- Swaps an order's text that began with `was`, with the record that is appended for that.
local function swap_order(key, was, becomes)
  swap(key, becomes .. with_record(string.sub(ahead[key], #was + 1)))
end

-- Which of so many keys exist, as key -> true; mostly none does, which one command tells.
local function exist(keys)
  local found = {}
  for first = 1, #keys, 1000 do
    local last = math.min(first + 999, #keys)
    if redis.call('EXISTS', unpack(keys, first, last)) > 0 then
      for n = first, last do found[keys[n]] = redis.call('EXISTS', keys[n]) == 1 or nil end
    end
  end
  return found
end
