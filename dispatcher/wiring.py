"""The one place where parts meet: settings, store, channels, templates and clock become a service."""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio.connection import Connection, UnixDomainSocketConnection, parse_url

from dispatcher.channels.base import Channel
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.naming import all_warnings
from dispatcher.policy.document import Policy, to_json
from dispatcher.policy.facts import Channel as ChannelName
from dispatcher.policy.facts import Instant
from dispatcher.policy.pace import paces
from dispatcher.policy.rivals import looks_around
from dispatcher.settings import Settings
from dispatcher.storage.audit import AuditTrail
from dispatcher.storage.blocking import Blocks
from dispatcher.storage.client import CONNECTIONS, OF_THE_LIBRARY, StoreClient, StorePool
from dispatcher.storage.commands import LeaseTerms
from dispatcher.storage.incentives import top_up
from dispatcher.storage.lanes import stored_lanes
from dispatcher.storage.operators import Operators
from dispatcher.storage.people import People
from dispatcher.storage.replanning import replan
from dispatcher.storage.sampling import sample
from dispatcher.storage.store import Store
from dispatcher.storage.templates import ShopTemplates
from dispatcher.workflow import details
from dispatcher.workflow.authoring import Authoring
from dispatcher.workflow.blocking import Blocking
from dispatcher.workflow.by_hand import ByHand
from dispatcher.workflow.dispatch import Dispatcher
from dispatcher.workflow.explaining import Explaining
from dispatcher.workflow.housekeeping import Housekeeping
from dispatcher.workflow.incentives import Incentives
from dispatcher.workflow.intake import EventIntake
from dispatcher.workflow.phrases import Phrases
from dispatcher.workflow.policies import PolicyBook
from dispatcher.workflow.ports import Clock
from dispatcher.workflow.previewing import Previewing
from dispatcher.workflow.replanning import Replanning
from dispatcher.workflow.sending import Breaker, Sender
from dispatcher.workflow.steering import Steering
from dispatcher.workflow.tasks import Tasks
from dispatcher.workflow.templates import TemplateBook

DAY_MS = 24 * 3_600_000
STORE_TIMEOUT_SECONDS = 10.0
"""How long the store may take to answer where nobody waits for it."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> Instant:
        """Return the present instant."""
        return time.time_ns() // 1_000_000


def connect(
    *, url: str | None = None, socket: Path | None = None, timeout_seconds: float = STORE_TIMEOUT_SECONDS
) -> StoreClient:
    """Return a client of the store at a URL or a Unix socket, every default of the library stated."""
    if socket is not None:
        options: dict[str, Any] = {"connection_class": UnixDomainSocketConnection, "path": str(socket)}
    else:
        assert url is not None
        options = dict(parse_url(url))
    options |= {
        "connection_class": OF_THE_LIBRARY[options.get("connection_class", Connection)],
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "health_check_interval": 0,
        "max_connections": CONNECTIONS,
        "protocol": 2,
    }
    client = StoreClient(StorePool(**options))
    client.auto_close_connection_pool = True
    return client


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a running dispatcher."""

    store: Store
    audit: AuditTrail
    policies: PolicyBook
    intake: EventIntake
    dispatcher: Dispatcher
    housekeeping: Housekeeping
    tasks: Tasks
    operators: Operators
    blocks: Blocks
    blocking: Blocking
    by_hand: ByHand
    steering: Steering
    replanning: Replanning
    incentives: Incentives
    explaining: Explaining
    authoring: Authoring
    previewing: Previewing
    phrases: Phrases
    catalog: Catalog
    clock: Clock

    def warnings(self, policy: Policy) -> tuple[str, ...]:
        """Return what is right in a policy and yet may not do what its author expects."""
        return all_warnings(policy, self.catalog)

    async def put_policy(self, shop: str, policy: Policy, note: str, actor: str) -> int:
        """Put a policy into force for a shop and return its version: a new one, unless it was in force."""
        document = to_json(policy)
        return await self.store.put_policy(
            shop,
            msgspec.json.encode(document).decode(),
            note,
            details.packed({"note": note, "policy": document}),
            self.clock.now(),
            actor,
            LeaseTerms(
                pace=paces(policy),
                pools=",".join(pool.id for pool in policy.incentives or ()) or None,
                alone=None if looks_around(policy) else "1",
            ),
        )


async def open_audit(settings: Settings, redis: StoreClient, directory: Path) -> tuple[Store, AuditTrail]:
    """Open a store and the audit trail whose closed segments are in `directory`."""
    store = await Store.open(redis, settings.lanes, **_limits(settings))
    return store, AuditTrail(store, directory, settings.segment_records)


async def open_existing_audit(
    settings: Settings, redis: StoreClient, directory: Path
) -> tuple[Store, AuditTrail] | None:
    """Open the audit trail of a store without writing anything; `None` when it was never started."""
    lanes = await stored_lanes(redis)
    if lanes is None:
        return None
    store = Store(redis, lanes, **_limits(settings))
    return store, AuditTrail(store, directory, settings.segment_records)


def _limits(settings: Settings) -> dict[str, int]:
    return {
        "retention": int(settings.retention_days * DAY_MS),
        "lease": int(settings.lease_seconds * 1000),
        "max_leases": settings.max_leases,
    }


async def build(
    settings: Settings,
    redis: StoreClient,
    clock: Clock,
    channels: Mapping[ChannelName, Channel],
    audit_directory: Path,
    templates: Path | None = None,
) -> Service:
    """Put a service together over a store."""
    store, audit = await open_audit(settings, redis, audit_directory)
    policies = PolicyBook(store)
    people = People(store)
    catalog = Catalog.load(templates)
    own = ShopTemplates(store)
    book = TemplateBook(own, catalog)

    senders = {
        name: Sender(
            channel,
            clock,
            Breaker(settings.breaker_failures, int(settings.breaker_rest_seconds * 1000)),
            concurrency=settings.concurrency,
            timeout=int(settings.channel_timeout_seconds * 1000),
            start_within=int(settings.start_within_seconds * 1000),
        )
        for name, channel in channels.items()
    }
    operators = Operators(store)
    blocks = Blocks(store)
    explaining = Explaining(store, people, policies, book, clock)
    authoring = Authoring(own, policies, catalog, clock)
    return Service(
        store=store,
        audit=audit,
        policies=policies,
        intake=EventIntake(store, people, policies, clock),
        dispatcher=Dispatcher(store, people, policies, book, senders, clock, settings.batch, settings.hands),
        housekeeping=Housekeeping(store, clock),
        tasks=Tasks(store, people, policies, book, clock),
        replanning=Replanning(store, partial(replan, store), policies, clock),
        incentives=Incentives(store, partial(top_up, store), policies, clock),
        operators=operators,
        blocks=blocks,
        blocking=Blocking(blocks, people, clock),
        by_hand=ByHand(store, people, policies, clock),
        steering=Steering(store, operators, explaining, clock),
        explaining=explaining,
        authoring=authoring,
        phrases=Phrases(store, policies, catalog, clock),
        previewing=Previewing(store, partial(sample, store), authoring, policies, catalog, clock),
        catalog=catalog,
        clock=clock,
    )
