"""The stub does with each message what it was told, and its log counts hand-offs only."""

import asyncio
import json
import stat
from pathlib import Path

import pytest

from dispatcher.channels.base import Accepted, Message, Refused
from dispatcher.channels.stub import Behaviour, StubChannel

MESSAGE = Message(
    reference="demo~O-1~1",
    shop="demo",
    order="O-1",
    customer="C-1",
    channel="sms",
    address="+8613800000000",
    text="【示例】您有一笔订单待付款",
)


def stub(
    log: Path | None, behaviour: Behaviour = Behaviour.ACCEPT, delay_seconds: float = 0.0
) -> StubChannel:
    return StubChannel("sms", lambda: 1_000, log, lambda message: behaviour, delay_seconds)


@pytest.mark.parametrize(
    ("behaviour", "outcome", "handed_over"),
    [
        (Behaviour.ACCEPT, Accepted(), 1),
        (Behaviour.REFUSE, Refused(reason="channel_down", temporary=True), 0),
        (Behaviour.REJECT, Refused(reason="rejected", temporary=False), 0),
    ],
)
async def test_an_answer_and_the_log_agree(
    tmp_path: Path, behaviour: Behaviour, outcome: object, handed_over: int
) -> None:
    log = tmp_path / "log"
    channel = stub(log, behaviour)

    answer = await channel.send(MESSAGE)

    assert answer == outcome
    assert channel.handed_over == handed_over
    assert len(log.read_text().splitlines()) == handed_over


@pytest.mark.parametrize(("behaviour", "handed_over"), [(Behaviour.HANG, 0), (Behaviour.SILENT, 1)])
async def test_a_stub_that_does_not_answer_logs_what_it_handed_over(
    tmp_path: Path, behaviour: Behaviour, handed_over: int
) -> None:
    log = tmp_path / "log"
    channel = stub(log, behaviour)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await channel.send(MESSAGE)

    assert channel.handed_over == handed_over
    assert len(log.read_text().splitlines()) == handed_over


async def test_a_line_names_the_hand_off_without_address_or_text(tmp_path: Path) -> None:
    log = tmp_path / "log"
    channel = stub(log)

    await channel.send(MESSAGE)

    assert json.loads(log.read_text()) == {
        "at": 1_000,
        "reference": "demo~O-1~1",
        "shop": "demo",
        "order": "O-1",
        "customer": "C-1",
        "channel": "sms",
    }
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


async def test_stubs_of_one_log_add_to_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    channels = [stub(log), stub(log)]

    for channel in channels:
        await channel.send(MESSAGE)
        channel.close()
        channel.close()

    assert len(log.read_text().splitlines()) == 2


async def test_a_stub_without_a_log_counts() -> None:
    channel = stub(None)

    await channel.send(MESSAGE)

    assert channel.handed_over == 1


async def test_a_call_that_ends_during_the_delay_hands_nothing_over(tmp_path: Path) -> None:
    channel = stub(tmp_path / "log", delay_seconds=5)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await channel.send(MESSAGE)

    assert channel.handed_over == 0
