"""From the pools of a policy back to the tables that mean them."""

from decimal import Decimal
from typing import Any

from dispatcher.policy.incentive_terms import Incentive
from dispatcher.policy.units import format_duration


def write_incentive(pool: Incentive) -> dict[str, Any]:
    """The table of a pool; what is not given is left out."""
    written = {
        "id": pool.id,
        "kind": pool.kind,
        "use": pool.use,
        "quantity": pool.quantity,
        "name": pool.name,
        "how": pool.how,
        "amount": _text(pool.amount),
        "threshold": _text(pool.threshold),
        "issue_from": pool.issue_from,
        "issue_until": pool.issue_until,
        "valid_for": None if pool.valid_for is None else format_duration(pool.valid_for),
        "valid_until": pool.valid_until,
        "per_customer": pool.per_customer,
        "stacks": pool.stacks or None,
        "for": None if pool.audience is None else list(pool.audience),
        "approved": pool.approved or None,
    }
    return {key: value for key, value in written.items() if value is not None}


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
