"""Settings: each is read, held to its bounds, and refused by name with what was expected."""

import math

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.errors import InvalidInput
from dispatcher.settings import HIGHEST, Settings, read_settings

FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}
WHOLE = [name for name, field in FIELDS.items() if field.type is int]
FRACTIONS = [name for name, field in FIELDS.items() if field.type is float]
AT_EASE = {"DISPATCHER_LEASE_SECONDS": "1000000", "DISPATCHER_CHANNEL_TIMEOUT_SECONDS": "0.001"}
"""The two settings that depend on each other, as far apart as they can be."""

EXPECTED = {
    "lanes": "a whole number from 1 to 99",
    "lease_seconds": "a number from 0.001 to 1000000",
    "max_leases": "a whole number from 1 to 1000000",
    "batch": "a whole number from 1 to 1000000",
    "hands": "a whole number from 1 to 1000000",
    "concurrency": "a whole number from 1 to 1000000",
    "channel_timeout_seconds": "a number from 0.001 to 1000000",
    "start_within_seconds": "a number from 0.001 to 1000000",
    "breaker_failures": "a whole number from 1 to 1000000",
    "breaker_rest_seconds": "a number from 0.001 to 1000000",
    "retention_days": "a number from 0.0001 to 1000000",
    "segment_records": "a whole number from 1 to 1000000",
}


def variable(name: str) -> str:
    return f"DISPATCHER_{name.upper()}"


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_settings(environment)
    return str(caught.value)


def test_without_an_environment_the_defaults_hold() -> None:
    assert read_settings({"PATH": "/bin", "LANES": "3"}) == Settings()


def test_the_table_of_this_test_is_complete() -> None:
    assert set(EXPECTED) | {"redis_url"} == set(FIELDS)


@pytest.mark.parametrize("name", EXPECTED)
def test_each_number_is_read_from_its_variable(name: str) -> None:
    found = read_settings(AT_EASE | {variable(name): "7"})

    assert getattr(found, name) == 7
    assert type(getattr(found, name)) is FIELDS[name].type


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", "0", "-1", "", "many", "1000001", "9" * 400])
def test_what_is_no_number_within_bounds_is_refused_by_name(name: str, text: str) -> None:
    told = refusal({variable(name): text})

    assert told == f"{variable(name)}: expected {EXPECTED[name]}, got {_shown(name, text)}"


def _shown(name: str, text: str) -> str:
    """Return how a value is repeated: as it was read, cut where it is long."""
    if FIELDS[name].type is float and text not in ("", "many"):
        text = str(float(text))
    return repr(text[:40])


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("text", ["1.5", "2.0", "1e1"])
def test_a_fraction_is_no_whole_number(name: str, text: str) -> None:
    assert refusal({variable(name): text}).endswith(f"expected {EXPECTED[name]}, got '{text}'")


@pytest.mark.parametrize("name", FRACTIONS)
def test_a_time_shorter_than_counts_is_refused(name: str) -> None:
    assert refusal({variable(name): "0.00001"}).endswith(f"expected {EXPECTED[name]}, got '1e-05'")


@given(name=st.sampled_from(sorted(EXPECTED)), text=st.text(max_size=20) | st.floats().map(str))
@example(name="retention_days", text="nan")
@example(name="lease_seconds", text="0.001")
def test_whatever_is_set_is_within_bounds_or_refused_in_one_line(name: str, text: str) -> None:
    refused, found = "", None
    # A lease that is right by itself may be too short for the channel.
    at_fault = (variable(name), "DISPATCHER_CHANNEL_TIMEOUT_SECONDS")

    try:
        found = getattr(read_settings(AT_EASE | {variable(name): text}), name)
    except InvalidInput as error:
        refused = str(error)

    assert bool(refused) is (found is None)
    assert not refused or (
        refused.startswith(at_fault) and ": expected " in refused and refused.isprintable()
    )
    assert found is None or (math.isfinite(found) and 0 < found <= HIGHEST)


@pytest.mark.parametrize("seconds", ["30", "31"])
def test_a_channel_may_not_take_as_long_as_the_lease(seconds: str) -> None:
    told = refusal({"DISPATCHER_CHANNEL_TIMEOUT_SECONDS": seconds})

    assert told == (
        f"DISPATCHER_CHANNEL_TIMEOUT_SECONDS: expected less than the lease of 30.0 s, got {float(seconds)}"
    )


@pytest.mark.parametrize(
    "address",
    [
        "redis://localhost",
        "redis://localhost:6379",
        "redis://localhost:6379/",
        "redis://localhost:6379/3",
        "redis://:secret@10.0.0.7:6379/0",
        "redis://user:secret%20@store.example/0",
        "redis://[::1]:6379/0",
        "rediss://store.example:6380/0",
        "unix:///run/valkey/valkey.sock",
        "unix://user:secret@/run/valkey.sock",
    ],
)
def test_an_address_of_a_server_is_taken(address: str) -> None:
    assert read_settings({"DISPATCHER_REDIS_URL": address}).redis_url == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost:6379",
        "http://secret@localhost",
        "valkey://:secret@localhost",
        "redis://",
        "redis:///0",
        "redis://:secret@localhost:port",
        "redis://:secret@localhost:70000",
        "redis://:secret@localhost/orders",
        "redis://:secret@localhost/0?socket_timeout=1",
        "redis://:secret@localhost/0#one",
        "redis://:secret@local host",
        "redis://:secret@localhost\n",
        "redis://[::1",
        "unix://secret/valkey.sock",
        "unix://",
        "unix:///",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(address: str) -> None:
    told = refusal({"DISPATCHER_REDIS_URL": address})

    assert told == (
        "DISPATCHER_REDIS_URL: expected redis://HOST:PORT/DATABASE, rediss://HOST:PORT/DATABASE "
        "or unix:///PATH, without options"
    )
