"""The names that a policy brings into messages, judged before any message would say them."""

from collections.abc import Iterator

from dispatcher.messages.catalog import Catalog
from dispatcher.messages.wording import check
from dispatcher.policy.document import Policy, warnings


def all_warnings(policy: Policy, catalog: Catalog | None = None) -> tuple[str, ...]:
    """What is right in a policy and yet may not do what its author expects, its names among it.

    They are judged by the catalog's rules, without one by those that come with the product.
    """
    rules = (catalog or Catalog.load()).rules_of(policy)
    told = list(warnings(policy))
    for place, name, follows in _names(policy):
        words = dict.fromkeys(hit.word for hit in check(name, rules) if hit.level == "forbid")
        if words:
            told.append(
                f"{place}: the wording rules of {policy.platform} forbid {', '.join(words)}: {follows}"
            )
    return tuple(told)


def _names(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Where each name stands, what it is, and what follows if it may not be said."""
    if policy.shop_name is not None:
        yield "shop_name", policy.shop_name, "no message that names the shop goes"
    for pool in policy.incentives or ():
        for key, name in (("name", pool.name), ("how", pool.how)):
            if name is not None:
                yield (
                    f"incentives.{pool.id}.{key}",
                    name,
                    "messages that would say so go without the incentive",
                )
