"""A real store for every test that needs one: one server a test process, emptied before each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis as blocking

from dispatcher.storage.client import StoreClient
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.wiring import connect
from tests.checkers.simulated import Audit, simulated


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A Valkey server of this test process's own."""
    with EmbeddedStore(tmp_path_factory.mktemp("valkey"), durable=False) as server:
        yield server


@pytest.fixture
async def redis(valkey: EmbeddedStore) -> AsyncIterator[StoreClient]:
    """A client of an empty store."""
    client = connect(socket=valkey.socket)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def reader(valkey: EmbeddedStore) -> Iterator[blocking.Redis]:
    """A client that reads the raw keys."""
    client = blocking.Redis(unix_socket_path=str(valkey.socket))
    yield client
    client.close()


@pytest.fixture
def audit_directory(tmp_path: Path) -> Path:
    """Where closed audit segments go."""
    return tmp_path / "audit"


@pytest.fixture
def audit() -> Audit:
    """The audit of a simulated day, to be altered."""
    return Audit(simulated())
