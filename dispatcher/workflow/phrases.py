"""Finds quick phrases for agents, written about an order where one is given."""

from collections.abc import Sequence

import msgspec

from dispatcher.errors import DispatcherError, FieldProblem, InvalidInput, UnknownOrder
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.phrases import Phrase, phrases
from dispatcher.messages.rendering import render
from dispatcher.messages.subjects import if_sent
from dispatcher.policy.shipping import ships_today
from dispatcher.workflow.policies import PolicyBook
from dispatcher.workflow.ports import Clock, KnownOrders

CALL = "/"
"""What agents type before a code."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase as an agent may send it; without a `text` it needs an order, or the `problem` says why."""

    code: str
    group: str
    group_name: str
    text: str | None
    fields: tuple[str, ...] = ()
    problem: str | None = None


class Phrases:
    """The phrases that come with the product."""

    def __init__(self, known: KnownOrders, policies: PolicyBook, catalog: Catalog, clock: Clock) -> None:
        self._known = known
        self._policies = policies
        self._catalog = catalog
        self._phrases = phrases(catalog.directory)
        self._clock = clock

    def find(self, code: str = "", group: str | None = None) -> list[Phrase]:
        """Return the phrases whose code begins so, of one group or of all, as they stand in the file.

        Raises `InvalidInput` for a group that there is not.
        """
        self._check_group(group)
        wanted = code.removeprefix(CALL).lower()
        return [
            one
            for one in self._phrases
            if one.code.startswith(wanted) and (group is None or one.group == group)
        ]

    async def said(self, shop: str, found: Sequence[Phrase], order: str | None) -> list[Said]:
        """Return what phrases say, of an order if one is given; `UnknownOrder`.

        What they say of an order keeps the wording rules of the shop.
        """
        if order is None:
            return [_told(one, one.text) for one in found]
        known = (await self._known.facts([(shop, order)])).get((shop, order))
        if known is None:
            raise UnknownOrder("there is no such order, or what was known of it is erased")
        policy = (await self._policies.in_force(shop, anew=True)).policy
        now = self._clock.now()
        ships = ships_today(known.order, policy, now)
        facts, send = if_sent(known.order, known.customer, "chat", now, shop=shop, ships_today=ships)

        def say(phrase: Phrase) -> Said:
            try:
                text = render(self._catalog, facts, send, policy, now, phrase.template).text
            except DispatcherError as error:
                return msgspec.structs.replace(_told(phrase, None), problem=str(error))
            return _told(phrase, text)

        return [say(one) for one in found]

    def _check_group(self, group: str | None) -> None:
        groups = dict.fromkeys(one.group for one in self._phrases)
        if group is not None and group not in groups:
            problem = FieldProblem("/group", f"expected one of {', '.join(groups)}")
            raise InvalidInput(f"the query is not right: {problem}", (problem,))


def _told(phrase: Phrase, text: str | None) -> Said:
    return Said(
        code=phrase.code,
        group=phrase.group,
        group_name=phrase.group_name,
        text=text,
        fields=tuple(sorted(phrase.template.fields)),
    )
