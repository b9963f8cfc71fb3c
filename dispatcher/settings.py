"""Every knob, read once from the environment and refused at start when it is not right."""

from collections.abc import Mapping

import msgspec

from dispatcher.errors import InvalidInput

PREFIX = "DISPATCHER_"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What may differ between installations; set `DISPATCHER_LANES` for `lanes` and so on."""

    lanes: int = 16
    """Lanes of the store; counts at its very first start only."""
    lease_seconds: float = 30.0
    """How long a worker may hold reminders; a hand-off that is not settled by then is uncertain."""
    max_leases: int = 3
    """A reminder leased so often without a commit is failed (`internal`)."""
    batch: int = 100
    """Most reminders in one lease."""
    hands: int = 4
    """Batches of a lane that one worker has under way at once."""
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

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if getattr(self, name) <= 0:
                raise InvalidInput(
                    f"{PREFIX}{name.upper()}: expected a number above 0, got {getattr(self, name)}"
                )
        if self.lanes > 99:
            raise InvalidInput(f"{PREFIX}LANES: expected at most 99, got {self.lanes}")
        if self.channel_timeout_seconds >= self.lease_seconds:
            raise InvalidInput(
                f"{PREFIX}CHANNEL_TIMEOUT_SECONDS: expected less than the lease of {self.lease_seconds} s"
            )


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings the environment asks for; `InvalidInput` names a wrong one."""
    given: dict[str, float | int] = {}
    for field in msgspec.structs.fields(Settings):
        name = PREFIX + field.name.upper()
        if name not in environment:
            continue
        try:
            given[field.name] = field.type(environment[name])
        except ValueError:
            raise InvalidInput(
                f"{name}: expected {'a whole number' if field.type is int else 'a number'}"
            ) from None
    return Settings(**given)  # type: ignore[arg-type]
