"""Every knob, read once from the environment and refused at start when it is not right."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from dispatcher.errors import InvalidInput

PREFIX = "DISPATCHER_"

LOWEST_SECONDS = 0.001
LOWEST_DAYS = 0.0001
"""Shorter times would come to less than a millisecond, or retire an order while it is looked at."""
HIGHEST = 1_000_000
"""The most that any number may be, so that times in milliseconds stay whole numbers in Lua."""
HIGHEST_LANES = 99
"""A lane's number has two digits in the keys."""
SHOWN_CHARS = 40
"""So much of a wrong value is repeated to whoever set it."""

ADDRESS = "redis://HOST:PORT/DATABASE, rediss://HOST:PORT/DATABASE or unix:///PATH, without options"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What may differ between installations; set `DISPATCHER_LANES` for `lanes` and so on."""

    lanes: int = 16
    """Lanes of the store; counts at its very first start only."""
    lease_seconds: float = 30.0
    """How long a worker may hold reminders; a hand-off that is not settled by then is uncertain."""
    max_leases: int = 3
    """A reminder leased so often without a commit is failed (`internal`)."""
    batch: int = 256
    """Most reminders in one lease."""
    hands: int = 4
    """Batches of a channel that one worker has under way at once."""
    concurrency: int = 64
    """Most channel calls under way at once, by channel and worker."""
    channel_timeout_seconds: float = 10.0
    """How long a channel may take to answer; must be shorter than the lease."""
    start_within_seconds: float = 2.0
    """How long after its decision a hand-off may still start; later ones are decided again."""
    breaker_failures: int = 20
    """So many hand-offs in a row without an answer, or refused for now, rest the channel."""
    breaker_rest_seconds: float = 30.0
    """How long a channel rests."""
    retention_days: float = 30.0
    """How long a finished order stays in the store."""
    segment_records: int = 10_000
    """Audit records in one segment on disk."""
    redis_url: str | None = None
    """Address of a server of one's own, never repeated in errors (it may hold a password); else embedded."""

    def __post_init__(self) -> None:
        for field in msgspec.structs.fields(Settings):
            value = getattr(self, field.name)
            if field.name == "redis_url":
                if value is not None and not _is_address(value):
                    raise InvalidInput(f"{PREFIX}REDIS_URL: expected {ADDRESS}")
                continue
            low, high = _bounds(field.name, field.type)
            if not low <= value <= high:  # neither is true of NaN
                raise _wrong(field.name, field.type, str(value))
        if self.channel_timeout_seconds >= self.lease_seconds:
            raise InvalidInput(
                f"{PREFIX}CHANNEL_TIMEOUT_SECONDS: expected less than the lease of {self.lease_seconds} s, "
                f"got {self.channel_timeout_seconds}"
            )


def _bounds(name: str, kind: type) -> tuple[float, int]:
    if kind is int:
        return 1, HIGHEST_LANES if name == "lanes" else HIGHEST
    return LOWEST_DAYS if name.endswith("_days") else LOWEST_SECONDS, HIGHEST


def _wrong(name: str, kind: type, given: str) -> InvalidInput:
    low, high = _bounds(name, kind)
    wanted = f"a {'whole ' if kind is int else ''}number from {low} to {high}"
    return InvalidInput(f"{PREFIX}{name.upper()}: expected {wanted}, got {given[:SHOWN_CHARS]!r}")


def _is_address(text: str) -> bool:
    """Tell whether the store's client takes this as it is meant: it ignores what it does not understand."""
    if not (text.isascii() and text.isprintable()) or any(mark in text for mark in " ?#"):
        return False
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme == "unix":
        return host is None and len(parts.path) > 1
    database = parts.path.removeprefix("/")
    return parts.scheme in ("redis", "rediss") and bool(host) and (not database or database.isdecimal())


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings the environment asks for; `InvalidInput` names a wrong one."""
    given: dict[str, float | int | str] = {}
    for field in msgspec.structs.fields(Settings):
        text = environment.get(PREFIX + field.name.upper())
        if text is None:
            continue
        if field.type not in (int, float):
            given[field.name] = text
            continue
        try:
            given[field.name] = field.type(text)
        except ValueError:
            raise _wrong(field.name, field.type, text) from None
    return Settings(**given)  # type: ignore[arg-type]
