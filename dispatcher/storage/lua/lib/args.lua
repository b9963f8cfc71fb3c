-- Decodes HEAD (ARGV[1]) and ITEMS (ARGV[2]), both MessagePack, and refuses them as a whole before
-- anything is written unless every field has the type that the script's header states (SPEC).
local function refuse(why)
  error({err = 'BADARG ' .. why})
end

local function fits(value, kind)
  if kind == 'key' then
    return type(value) == 'number' and KEYS[value] ~= nil
  elseif kind == 'list' then
    return type(value) == 'table'
  end
  return type(value) == kind and value == value
end

local function check(where, fields, spec)
  if type(fields) ~= 'table' then refuse(where .. ': expected a map') end
  for name, rule in pairs(spec) do
    local value = fields[name]
    if value == nil then
      if not rule.optional then refuse(where .. '.' .. name .. ': expected ' .. rule.kind .. ', got nothing') end
    elseif not fits(value, rule.kind) then
      refuse(where .. '.' .. name .. ': expected ' .. rule.kind .. ', got ' .. type(value))
    end
  end
end

local function decode(where, text)
  local ok, value = pcall(cmsgpack.unpack, text)
  if not ok or type(value) ~= 'table' then refuse(where .. ': expected MessagePack') end
  return value
end

local HEAD = decode('head', ARGV[1] or '')
local ITEMS = decode('items', ARGV[2] or '')
check('head', HEAD, SPEC.head)
for i, item in ipairs(ITEMS) do check('item ' .. i, item, SPEC.item) end
