-- Drops a reminder that waits, from wherever that is, and tells whether it did.
local function drop_waiting(shop, id, order, number, reason, details)
  local step, reminder = order.steps[number], reminder_id(shop, id, number)
  if not WAITING[step.status] then return false end
  withdraw(shop, step, reminder)
  move(shop, step, reminder, 'dropped')
  audit('reminder.dropped', about(shop, id, order, number,
    {channel = step.channel, attempt = step.attempt, reason = reason}), details)
  return true
end

-- Ends what is left of an order that is paid, cancelled or closed: waiting reminders are dropped, claimed tasks
-- withdrawn; what is being sent is settled by its worker.
local function end_steps(shop, id, order, reason)
  for number, step in ipairs(order.steps) do
    if not drop_waiting(shop, id, order, number, reason) and allowed(step, 'withdrawn') then
      local reminder = reminder_id(shop, id, number)
      local more = {channel = step.channel, attempt = step.attempt, reason = reason}
      move(shop, step, reminder, 'withdrawn')
      audit('task.withdrawn', about(shop, id, order, number, more))
    end
  end
end
