"""What each field about incentives means: in answers and bodies, and in a policy."""

FIELDS: dict[str, str] = {
    "Pools.incentives": "Each pool of the policy in force, in its order.",
    "Pool.id": "The pool's id.",
    "Pool.kind": "What is offered.",
    "Pool.use": "On which order it can be used.",
    "Pool.granted": "Items there are: the policy's quantity, and what was added.",
    "Pool.added": "Items that were added by topping it up.",
    "Pool.taken": "Items that messages named; what was not handed over is given back.",
    "Pool.left": "Items that can still be taken.",
    "top_up_incentive.quantity": "How many items to add.",
    "top_up_incentive.note": "Why, for the audit.",
    "top_up_incentive.reference": "The caller's own name for this top-up: sent again, it adds nothing again.",
}
"""As `meanings.FIELDS`."""

POLICY: dict[str, str] = {
    "incentives": "What a message may offer: the first pool that fits. Absent: nothing.",
    "incentives.id": "The pool's id; its counts go with it from version to version.",
    "incentives.kind": "What is offered.",
    "incentives.use": "On which order it can be used: the unpaid one, another instead, or a later one.",
    "incentives.quantity": "Items in the pool, beside those topped up; 0 = none.",
    "incentives.name": "What it is called in texts; required for a gift.",
    "incentives.how": "How it is used, in words for the customer; required for a coupon.",
    "incentives.amount": "What it saves; required for a coupon and a changed price.",
    "incentives.threshold": "The total of an order from which it applies. Absent: every total.",
    "incentives.issue_from": "From when on it is offered. Absent: at once.",
    "incentives.issue_until": "Until when it is offered. Absent: for ever.",
    "incentives.valid_for": "How long an item can be used, from the message; protection from the payment.",
    "incentives.valid_until": "Until when an item can be used.",
    "incentives.per_customer": "Items that one customer gets at most; 0 = none. Absent: no limit.",
    "incentives.stacks": "Whether it adds to a promotion that the order was placed under; if not given, no.",
    "incentives.for": "For whom it is, or for which reasons told in a call; any is enough. Absent: all.",
    "incentives.approved": "Whether a change of price is approved; without it, it is never offered.",
}
"""As `meanings.POLICY`."""
