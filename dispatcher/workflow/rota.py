"""Whose turn it is on a channel: a shop that may have more due goes to the end of the line."""

from collections.abc import Iterable


class Rota:
    """The line of one channel, and how many batches of it are under way.

    A shop whose batch was full stands in line again at once, so that several batches of one large shop are
    under way together; who else has something due is asked when nobody is left in line, and with each look.
    When all who were named had nothing it waits until there is `news`.
    """

    def __init__(self) -> None:
        self.under_way = 0
        self._line: dict[str, None] = {}
        self._size = 1
        self._without_find = 0
        self._looking = False
        self.heard = 0
        """How often there was news."""

    @property
    def waiting(self) -> bool:
        """Tell whether a shop waits for its turn."""
        return bool(self._line)

    @property
    def wants_round(self) -> bool:
        """Tell whether to ask who has something due."""
        return (self._looking or not self._line) and self._without_find < self._size

    def begin(self, shops: Iterable[str]) -> None:
        """Have the shops that have something due stand in line, each once."""
        named = list(shops)
        self._line |= dict.fromkeys(named)
        self._size = len(named)
        self._looking = False

    def take(self) -> str:
        """Return the shop whose turn it is."""
        self.under_way += 1
        shop = next(iter(self._line))
        del self._line[shop]
        return shop

    def back(self, shop: str, *, found: int, room: int, heard: int) -> None:
        """End a shop's turn that found so much for so much room; so much was `heard` when it began.

        What there was news of meanwhile it may have looked for too early.
        """
        self.under_way -= 1
        if found >= room:
            self._line.setdefault(shop)
        elif not found and heard == self.heard:
            self._without_find += 1

    def news(self) -> None:
        """Hear that there may be something due again."""
        self.heard += 1
        self._size = max(self._size, 1)
        self._without_find = 0

    def look(self) -> None:
        """Ask anew who has something due, whoever stands in line."""
        self.news()
        self._looking = True

    def clear(self) -> None:
        """Forget who waits."""
        self._line.clear()
