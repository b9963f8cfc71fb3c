"""What the workflow needs of the outside."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from dispatcher.policy.facts import Channel, Instant, OrderFacts, PoolCounts
from dispatcher.storage.blocked import Block, Kind
from dispatcher.storage.commands import Commit, Intake, IntakeReply, Replan, Settlement, Steer, TaskEnd
from dispatcher.storage.customers import StoredCustomer
from dispatcher.storage.new_orders import Rows
from dispatcher.storage.records import About, Lease, Other, ShopState, StoredOrder, StoredStep
from dispatcher.storage.template_changes import Kept, TemplateChange


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> Instant:
        """Return the present instant."""


class Policies(Protocol):
    """Where policy documents are kept."""

    async def shop(self, shop: str) -> ShopState:
        """Return a shop's revision and the policy version in force."""

    async def policy(self, shop: str, version: int) -> bytes | None:
        """Return a version's document as JSON."""


class Published(Protocol):
    """Where the templates are kept that shops have published."""

    async def texts(self, shop: str, versions: Sequence[str]) -> list[bytes | None]:
        """Return the texts of versions, each named as in `zh-CN/first_reminder/sms@3`."""


class ShopTemplates(Published, Protocol):
    """Where the templates of shops are kept and changed."""

    async def kept(self, shop: str, name: str, version: int | None) -> Kept | None:
        """Return a version of a template, `None` being its draft."""

    async def drafts(self, shop: str, names: Sequence[str]) -> dict[str, About]:
        """Return what is known of the drafts among templates."""

    async def versions(self, shop: str, name: str) -> dict[int, About]:
        """Return what is known of a template's versions, the newest first."""

    async def change(self, shop: str, change: TemplateChange, now: Instant, actor: str) -> int | None:
        """Make a change and return which version is in force then; `None` where what it is about is gone."""


class Orders(Protocol):
    """Where orders are looked up one by one."""

    async def order(self, shop: str, order: str) -> StoredOrder | None:
        """Read one order."""


class Operators(Protocol):
    """Where what operators do with reminders is recorded."""

    async def steer(self, shop: str, steers: Sequence[Steer], now: Instant, actor: str) -> list[str]:
        """End or move single reminders."""


class Blocks(Protocol):
    """Where the addresses that shops block are kept."""

    async def block(self, shop: str, kind: Kind, person: str, block: Block) -> bool:
        """Block an address."""

    async def unblock(self, shop: str, kind: Kind, person: str, now: Instant, actor: str) -> None:
        """End the block of an address."""

    async def one(self, shop: str, kind: Kind, person: str) -> Block | None:
        """Return the block of an address."""


class KnownOrders(Protocol):
    """Where what is known of orders and their customers is looked up."""

    async def facts(self, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], OrderFacts]:
        """Read what is known of orders of one lane."""


class Store(Policies, Orders, KnownOrders, Protocol):
    """Where everything is kept; every change is atomic and audited."""

    @property
    def lanes(self) -> int:
        """Count the lanes."""

    def lane_of(self, shop: str) -> int:
        """Return a shop's lane."""

    async def accept(
        self, lane: int, events: Sequence[Intake], rows: Rows, now: Instant, actor: str
    ) -> dict[int, IntakeReply]:
        """Take what has a row and is not known yet; return replies by positions. All else is for `intake`."""

    async def intake(
        self, lane: int, events: Sequence[Intake], now: Instant, actor: str
    ) -> list[IntakeReply]:
        """Take events."""

    async def lease(self, shop: str, channel: Channel, limit: int, now: Instant) -> Lease:
        """Lease due reminders."""

    async def commit(
        self, lane: int, commits: Sequence[Commit], now: Instant, actor: str = "system"
    ) -> list[str]:
        """Record decisions if all they stood on still holds; `handed` then tells when one was swapped."""

    async def settle(self, lane: int, settlements: Sequence[Settlement], now: Instant) -> list[str]:
        """Record outcomes."""

    async def end_tasks(self, lane: int, ends: Sequence[TaskEnd], now: Instant, actor: str) -> list[str]:
        """Complete or release tasks."""

    async def expired(self, lane: int, now: Instant, limit: int) -> list[str]:
        """Name reminders whose lease ended."""

    async def sweep(self, lane: int, reminders: Iterable[str], now: Instant) -> list[str]:
        """End leases."""

    async def timers(self, lane: int, now: Instant, limit: int) -> list[str]:
        """Name timers whose turn has come."""

    async def turn(self, lane: int, timers: Sequence[str], now: Instant) -> list[str]:
        """Give timers their turn."""

    async def overdue(self, lanes: Sequence[int], now: Instant) -> tuple[list[int], list[int]]:
        """Name the lanes in which a lease has ended, and those in which a timer's turn has come."""

    async def ready(self, lanes: Sequence[int], now: Instant) -> list[tuple[str, Channel]]:
        """Name the queues of some lanes that have something due, longest due first."""

    async def orders(self, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], StoredOrder]:
        """Read orders of one lane."""

    async def others(self, shop: str, order_id: str, order: StoredOrder) -> tuple[Other, ...]:
        """Read the other unpaid orders of an order's customer."""

    async def customer(self, shop: str, customer: str) -> StoredCustomer:
        """Read what is kept of a customer."""

    async def open_tasks(self, shop: str) -> int:
        """Count the tasks of a shop that wait for an agent."""

    async def begun_since(self, shop: str, channel: Channel, since: Instant) -> list[Instant]:
        """Read the hand-offs by a channel that its pace counts."""

    async def pool_counts(self, shop: str, pools: Sequence[str], customer: str | None = None) -> PoolCounts:
        """Read what is counted of incentive pools."""


class Listed(Protocol):
    """A reminder as it stood when it was listed."""

    @property
    def order_id(self) -> str:
        """Its order."""

    @property
    def number(self) -> int:
        """Its step, from 1 on."""

    @property
    def order(self) -> StoredOrder:
        """The order as it stood."""

    @property
    def step(self) -> StoredStep:
        """The reminder itself."""


Sample = Callable[[str, int], Awaitable[tuple[str, ...]]]
"""Names so many orders of a shop at most, for somebody to look at."""

Move = Callable[[str, Sequence[Replan], Instant, str], Awaitable[list[str]]]
"""Moves reminders of a shop, now, for an actor; each answers moved, dropped or changed."""
