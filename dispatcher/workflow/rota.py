"""Whose turn it is on a channel: every shop that has something due gets one batch a round."""

from collections import deque
from collections.abc import Iterable


class Rota:
    """The round of one channel, and how many batches of it are under way.

    A round that is used up is followed by the next one at once, so that several batches of one large shop
    are under way together; after a whole round without a find it waits until there is `news`.
    """

    def __init__(self) -> None:
        self.under_way = 0
        self._shops: deque[str] = deque()
        self._size = 1
        self._without_find = 0
        self.heard = 0
        """How often there was news."""

    @property
    def waiting(self) -> bool:
        """Tell whether a shop waits for its turn in this round."""
        return bool(self._shops)

    @property
    def wants_round(self) -> bool:
        """Tell whether the round is used up and another one may find something."""
        return not self._shops and self._without_find < self._size

    def begin(self, shops: Iterable[str]) -> None:
        """Begin a round of the shops that have something due."""
        self._shops.extend(shops)
        self._size = len(self._shops)

    def take(self) -> str:
        """Return the shop whose turn it is."""
        self.under_way += 1
        return self._shops.popleft()

    def back(self, *, found: bool, heard: int) -> None:
        """End a turn that found something to do, or nothing; so much was `heard` when it began.

        What there was news of meanwhile it may have looked for too early.
        """
        self.under_way -= 1
        if not found and heard == self.heard:
            self._without_find += 1

    def news(self) -> None:
        """Hear that there may be something due again."""
        self.heard += 1
        self._size = max(self._size, 1)
        self._without_find = 0

    def clear(self) -> None:
        """Forget who waits."""
        self._shops.clear()
