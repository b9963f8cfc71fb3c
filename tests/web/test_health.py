"""Whether the process is up; what is answered while the store is away, and when it is back."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.wiring import connect
from tests.policy.event_examples import wire
from tests.web.asking import Asking, asking
from tests.web.test_bad_input import problem_in
from tests.web.test_events import unpaid


async def test_both_answer_without_a_key(api: Asking) -> None:
    del api.client.headers["authorization"]

    live = await api.client.get("/health/live")
    ready = await api.client.get("/health/ready")

    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/schema/openapi.json"])
async def test_a_parameter_is_refused(api: Asking, path: str) -> None:
    answer = await api.client.get(f"{path}?verbose=1")

    assert [wrong["pointer"] for wrong in problem_in(answer, 400)["errors"]] == ["/verbose"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """A server of the test's own, to be killed and held."""
    with EmbeddedStore(tmp_path / "store", durable=True) as server:
        yield server


async def refused(api: Asking) -> None:
    """Ask for all that needs the store, and be refused within a second each."""
    before = monotonic()
    posted = await api.post(wire(unpaid(2)))
    between = monotonic()
    ready = await api.client.get("/health/ready")
    after = monotonic()

    for answer in (posted, ready):
        assert problem_in(answer, 503)["type"] == "urn:dispatcher:problem:store-unavailable"
        assert answer.headers["retry-after"] == "1"
    assert between - before < 1.0
    assert after - between < 1.0


async def test_while_the_store_is_gone_there_is_503_and_afterwards_all_is_there(
    store: EmbeddedStore, audit_directory: Path
) -> None:
    client = connect(socket=store.socket, timeout_seconds=0.5)
    async with asking(client, audit_directory) as api:
        await api.post(wire(unpaid(1)))
        store.stop()
        await refused(api)
        live = await api.client.get("/health/live")
        store.start()

        again = await api.post(wire(unpaid(1)))
        new = await api.post(wire(unpaid(2)))

        assert live.status_code == 200
        assert again.json()["results"][0]["status"] == "duplicate"
        assert new.json()["results"][0]["status"] in ("accepted", "duplicate")
    await client.aclose()


async def test_while_the_store_hangs_there_is_503_within_a_second(
    store: EmbeddedStore, audit_directory: Path
) -> None:
    client = connect(socket=store.socket, timeout_seconds=0.5)
    async with asking(client, audit_directory) as api:
        await api.post(wire(unpaid(1)))
        pid = (await client.info("server"))["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            await refused(api)
        finally:
            os.kill(pid, signal.SIGCONT)

        ready = await api.client.get("/health/ready")

        assert ready.status_code == 200
    await client.aclose()
