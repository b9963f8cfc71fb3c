-- Decodes HEAD (ARGV[1]) and ITEMS (ARGV[2]), both MessagePack, and refuses them as a whole before
-- anything is written unless every field has the type that the script's header states (CHECK).

-- Integers as texts, each written once, since Lua writes numbers slowly.
local TEXTS = setmetatable({}, {__index = function(texts, number)
  texts[number] = string.format('%d', number)
  return texts[number]
end})

local function refuse(why)
  error({err = 'BADARG ' .. why})
end

local function is_key(value)
  return type(value) == 'number' and KEYS[value] ~= nil
end

local function wrong(where, name, kind, value)
  refuse(where .. '.' .. name .. ': expected ' .. kind .. ', got ' .. (value == nil and 'nothing' or type(value)))
end

local function decode(where, text)
  local ok, value = pcall(cmsgpack.unpack, text)
  if not ok or type(value) ~= 'table' then refuse(where .. ': expected MessagePack') end
  return value
end

local RIGHT, CHECK = CHECKS(is_key, wrong)
local function check(where, fields, name)
  if type(fields) ~= 'table' then refuse(where .. ': expected a map') end
  local done, right = pcall(RIGHT[name], fields)
  if not (done and right) then CHECK[name](where, fields) end
end

local HEAD = decode('head', ARGV[1] or '')
local ITEMS = decode('items', ARGV[2] or '')
if #ITEMS == 0 and next(ITEMS) ~= nil then refuse('items: expected a list') end
check('head', HEAD, 'head')
for i, item in ipairs(ITEMS) do check('item ' .. TEXTS[i], item, 'item') end
