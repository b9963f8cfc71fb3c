-- What a plan says of a reminder: when and where it waits, or the reason for which it is dropped at once.
local function check_plan(where, shop, plan)
  if plan.channel and not known(shop, plan.channel) then refuse(where .. '.channel: unknown') end
  if not plan.reason and not (plan.due and plan.channel) then refuse(where .. ': expected due and channel') end
end

-- Plans a step of an order, anew where it waits already. Callers know that it is planned or not there yet.
local function put_plan(shop, name, order, number, plan)
  local id = reminder_id(shop, name, number)
  local step = order.steps[number]
  if step then
    withdraw(shop, step, id)
  else
    step = {status = 'planned', attempt = 0}
    order.steps[number] = step
  end
  step.moment, step.due, step.channel = plan.moment, plan.due or plan.moment, plan.channel or step.channel or 'sms'
  step.steered, step.kept_until = nil, nil
  local more = {channel = plan.channel, reason = plan.reason, policy = plan.policy}
  if plan.reason then
    move(shop, step, id, 'dropped')
    audit('reminder.dropped', about(shop, name, order, number, more), plan.details)
  else
    wait(shop, step, id)
    audit('reminder.planned', about(shop, name, order, number, more), plan.details)
  end
end
