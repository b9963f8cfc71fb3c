"""A clock that stands until it is told to go on."""

from dispatcher.policy.facts import Instant


class VirtualClock:
    """Tells the instant it was last set to, and never goes back."""

    def __init__(self, start: Instant = 0) -> None:
        self._now = start

    def now(self) -> Instant:
        """Return the virtual instant."""
        return self._now

    def advance_to(self, instant: Instant) -> None:
        """Go on to an instant; an earlier one leaves the clock where it is."""
        self._now = max(self._now, instant)
