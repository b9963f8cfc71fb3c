"""Parts of a batch of events that are taken one after the other."""

from collections.abc import Iterator

from dispatcher.policy.events import Event, EventType

STANDS_ON_ORDER = frozenset({EventType.AMENDED, EventType.REMINDED})
"""What is read or taken by what is stored of its order."""


def waves(numbered: list[tuple[int, Event]]) -> Iterator[list[tuple[int, Event]]]:
    """Cut a lane's events so that what stands on its order is read after what came before it in the batch."""
    wave: list[tuple[int, Event]] = []
    named: set[tuple[str, str | None]] = set()
    for position, event in numbered:
        order = (event.shop, event.order)
        if event.type in STANDS_ON_ORDER and order in named:
            yield wave
            wave, named = [], set()
        wave.append((position, event))
        named.add(order)
    if wave:
        yield wave
