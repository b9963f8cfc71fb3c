"""What is set for a shop, as the audit tells it."""

from dataclasses import replace

from tests.checkers.records import Record
from tests.checkers.state import Shop
from tests.checkers.templates import template_changed


def configured(shop: Shop, record: Record) -> tuple[Shop, str]:
    """Return a shop after a record, and what is wrong with it, if anything."""
    details = record["details"]
    channel = details.get("channel") or "*"
    match record["kind"]:
        case "policy.changed":
            return replace(shop, policy=record["policy"]), ""
        case "template.changed":
            return template_changed(shop, record)
        case "operator.paused":
            return replace(shop, paused=shop.paused | {channel}), ""
        case "operator.resumed":
            return replace(shop, paused=shop.paused - {channel}), ""
        case "operator.blocked" | "operator.unblocked" as kind:
            address = {f"{details['address']}:{details['person']}"}
            blocked = shop.blocked | address if kind == "operator.blocked" else shop.blocked - address
            changed = replace(shop, blocked=blocked)
            return changed, "" if changed != shop else "changes nothing of what is blocked"
    return shop, ""
