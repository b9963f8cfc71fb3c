"""What the fields mean by which people say what they did, or steer."""

OF_PEOPLE: dict[str, str] = {
    "NamedOrder.id": "The order's id, unique within the shop.",
    "RemindedData.order": "The order that the customer was reminded of.",
    "RemindedData.channel": "The channel it went by.",
    "RemindedData.agent": "The name of who sent it.",
    "Problem.blocking": "The names of the rules that stand against it, if it is about the policy.",
    "Problem.next_eligible": "When it may go as far as is known, UTC; absent where that is never.",
    "customer_paused_since": "Since when the customer that was asked about is left alone, UTC.",
    "complete_task.promised_until": "Until when the customer promised to pay, with an offset.",
    "complete_task.call_back_at": "When the customer wants to be called back, with an offset.",
    "complete_task.reason": "Why the customer had not paid.",
    "send_by_hand.id": "An id of the caller's own: sent again, it takes no second slot.",
    "send_by_hand.channel": "The channel that the agent takes.",
    "send_by_hand.agent": "The name of the agent.",
    "cancel_reminder.note": "Why, for the audit.",
    "postpone_reminder.note": "Why, for the audit.",
    "postpone_reminder.until": "When it is to be due, with an offset.",
    "pause_shop.customer": "The customer to leave alone, instead of a channel.",
}
"""As `meanings.FIELDS`."""
