"""Commits and settles hand-offs by swapping texts, where nothing else has happened to them."""

from collections.abc import Sequence
from typing import Any

from dispatcher.policy.facts import Instant
from dispatcher.storage.calls import Call
from dispatcher.storage.client import StoreClient
from dispatcher.storage.commands import Commit, Settlement
from dispatcher.storage.keys import LaneKeys, split_reminder_id
from dispatcher.storage.ledgers import QUARTERS
from dispatcher.storage.rows import encoded
from dispatcher.storage.scripts import SCRIPTS


async def swap_commits(
    redis: StoreClient, keys: LaneKeys, commits: Sequence[Commit], now: Instant, actor: str
) -> set[int]:
    """Commit by swapping what can be; return the positions of those, which have when it was as `handed`.

    No swap is tried twice: once it was, its command answers what came of it.
    """
    tried, rows = _tried(commits)
    if not tried:
        return set()
    first = commits[tried[0]]
    call, head = _about(keys, first, now)
    head |= {
        "actor": actor,
        "shop_rev": first.shop_rev,
        "policy": first.policy,
        "customer_prefix": keys.customer_prefix,
        "text_prefix": keys.text(""),
    }
    at, *left = await SCRIPTS["send"](redis, call.keys, head, [], encoded(rows))
    done = _done(tried, left)
    for position in done:
        commits[position].handed = at
    return done


async def swap_settlements(
    redis: StoreClient, keys: LaneKeys, settlements: Sequence[Settlement], now: Instant
) -> set[int]:
    """Settle by swapping what can be; return the positions of those."""
    tried, rows = _tried(settlements)
    if not tried:
        return set()
    first = settlements[tried[0]]
    call, head = _about(keys, first, now)
    head["committed"] = first.committed
    return _done(tried, await SCRIPTS["sent"](redis, call.keys, head, [], encoded(rows)))


def _tried(commands: Sequence[Any]) -> tuple[list[int], list[Any]]:
    """Return the positions and rows of the commands that have one, of one lease, as its token tells.

    What was swapped under one lease was committed at one instant.
    """
    positions, rows, lease = [], [], None
    for position, command in enumerate(commands):
        if command.swap is None:
            continue
        lease = lease or (command.token, command.channel)
        if (command.token, command.channel) == lease:
            positions.append(position)
            rows.append(command.swap)
        command.swap = None
    return positions, rows


def _about(keys: LaneKeys, first: Commit | Settlement, now: Instant) -> tuple[Call, dict[str, Any]]:
    call = Call(keys)
    call.shop(split_reminder_id(first.reminder)[0])
    head = {
        "now": now,
        "shops": call.shops,
        "channel": first.channel,
        "token": first.token,
        "quarter": QUARTERS.index(first.channel),
        "order_prefix": keys.order_prefix,
        "ledger_prefix": keys.ledger_prefix,
    }
    return call, head


def _done(tried: Sequence[int], left: Sequence[int]) -> set[int]:
    return {position for number, position in enumerate(tried, 1) if number not in left}
