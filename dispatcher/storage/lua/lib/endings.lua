-- Ends what is left of an order that is paid, cancelled or closed: waiting reminders are dropped, claimed tasks
-- withdrawn; what is being sent is settled by its worker.
local function end_steps(shop, id, order, reason)
  for number, step in ipairs(order.steps) do
    local reminder = reminder_id(shop, id, number)
    local more = {channel = step.channel, attempt = step.attempt, reason = reason}
    if WAITING[step.status] then
      withdraw(shop, step, reminder)
      move(shop, step, reminder, 'dropped')
      audit('reminder.dropped', about(shop, id, order, number, more))
    elseif allowed(step, 'withdrawn') then
      move(shop, step, reminder, 'withdrawn')
      audit('task.withdrawn', about(shop, id, order, number, more))
    end
  end
end
