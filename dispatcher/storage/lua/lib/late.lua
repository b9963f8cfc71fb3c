-- How late hand-offs are, counted by the bounds of lateness.
local LATE = {}
for i, bound in ipairs(LATENESS_BUCKETS) do LATE[i] = 'late|' .. bound end

local function count_late(handed, due)
  local late = math.max(0, handed - due)
  for i, bound in ipairs(LATENESS_BUCKETS) do
    if late <= bound then
      count(LATE[i], 1)
      break
    end
  end
  count('late_ms', late)
end
