"""`GET /metrics`: figures that the store keeps, so that every process tells the same and a restart none away.

No label names a shop or a person.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from litestar import get
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from dispatcher.policy.facts import CHANNELS, Instant
from dispatcher.storage.looking import LaneFigures, Memory, lane_figures, memory
from dispatcher.storage.records import LATENESS_BUCKETS
from dispatcher.web.access import PUBLIC
from dispatcher.web.answers import Answer
from dispatcher.web.describing import Described
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import read_query

TEXT = "text/plain; version=0.0.4; charset=utf-8"
TEXT_SCHEMA = {"type": "string"}

HANDED_OVER = ("reminder.sent", "task.claimed")

ALARMING = {
    "reminder.dropped": ("missing_field", "rejected", "too_late", "wording"),
    "reminder.failed": ("attempts_used_up", "internal", "rejected"),
}
"""Reasons told from the start, with 0: Prometheus sees no increase in what was not there before."""

Kinds = Counter[tuple[str, str, str]]
"""(kind, channel, reason) of audit records -> how many."""


class Figures(Collector):
    """The figures of all lanes at an instant, as families of metrics."""

    def __init__(self, lanes: Sequence[LaneFigures], used: Memory, now: Instant) -> None:
        self._lanes = lanes
        self._memory = used
        self._now = now
        self._counts: Counter[str] = Counter()
        for lane in lanes:
            self._counts.update(lane.counts)
        self._kinds: Kinds = Counter()
        for name, count in self._counts.items():
            of, _, rest = name.partition("|")
            if of == "kind":
                kind, channel, reason = rest.split("|", 2)
                self._kinds[kind, channel, reason] += count

    def collect(self) -> Iterable[Metric]:
        """Yield the families."""
        yield from self._waiting()
        yield from self._happened()
        yield self._lateness()
        yield _gauge("tasks_open", "Call tasks that wait for somebody.", max(0, self._counts["open"]))
        yield from self._paused()
        leased = sum(lane.leased for lane in self._lanes)
        yield _gauge("reminders_leased", "Reminders that a worker holds.", leased)
        unarchived = sum(lane.unarchived for lane in self._lanes)
        yield _gauge("audit_unarchived", "Audit records that are in the store only.", unarchived)
        yield _gauge("store_memory_bytes", "What the store uses.", self._memory.used)
        yield _gauge("store_memory_limit_bytes", "What the store may use; 0 = no limit.", self._memory.limit)

    def _waiting(self) -> Iterable[Metric]:
        waiting = GaugeMetricFamily(
            "dispatcher_reminders_waiting", "Reminders in queues, due or not.", labels=["channel"]
        )
        oldest = GaugeMetricFamily(
            "dispatcher_oldest_due_age_seconds",
            "How long the oldest due reminder waits, paused shops left out.",
            labels=["channel"],
        )
        for channel in CHANNELS:
            waiting.add_metric([channel], max(0, self._counts[f"waiting|{channel}"]))
            due = min((lane.oldest.get(channel, self._now) for lane in self._lanes), default=self._now)
            oldest.add_metric([channel], max(0, self._now - due) / 1000)
        return waiting, oldest

    def _paused(self) -> Iterable[Metric]:
        since = [at for lane in self._lanes for at in lane.paused]
        says = "Queues (a channel of a shop each) that are paused while reminders wait in them."
        yield _gauge("paused_queues", says, len(since))
        longest = max(0, self._now - min(since, default=self._now)) / 1000
        yield _gauge("longest_pause_seconds", "How long the longest paused of them is.", longest)

    def _happened(self) -> Iterable[Metric]:
        yield self._by_channel("handed_over", "Reminders handed over, claimed calls included.", HANDED_OVER)
        yield self._by_channel(
            "uncertain", "Hand-offs of which nobody knows the outcome.", ("reminder.uncertain",)
        )
        yield self._by_channel(
            "retried", "Hand-offs that were refused and are tried again.", ("reminder.retrying",)
        )
        yield self._by_reason("deferred", "Reminders put off.", "reminder.deferred")
        yield self._by_reason("dropped", "Reminders that will not be handed over.", "reminder.dropped")
        yield self._by_reason("failed", "Reminders refused for good, or given up.", "reminder.failed")
        yield self._by_change("orders", "What happened to orders.", "order.")
        yield self._by_change("tasks", "What happened to call tasks.", "task.")

    def _by_channel(self, name: str, says: str, kinds: Sequence[str]) -> Metric:
        counts: Counter[str] = Counter(dict.fromkeys(CHANNELS, 0))
        for (kind, channel, _), count in self._kinds.items():
            if kind in kinds and channel:
                counts[channel] += count
        return _counter(name, says, "channel", counts)

    def _by_reason(self, name: str, says: str, wanted: str) -> Metric:
        counts: Counter[str] = Counter(dict.fromkeys(ALARMING.get(wanted, ()), 0))
        for (kind, _, reason), count in self._kinds.items():
            if kind == wanted:
                counts[reason] += count
        return _counter(name, says, "reason", counts)

    def _by_change(self, name: str, says: str, prefix: str) -> Metric:
        counts: Counter[str] = Counter()
        for (kind, _, _), count in self._kinds.items():
            if kind.startswith(prefix):
                counts[kind.removeprefix(prefix)] += count
        return _counter(name, says, "change", counts)

    def _lateness(self) -> Metric:
        family = HistogramMetricFamily(
            "dispatcher_lateness_seconds", "From when a reminder was due to its hand-off."
        )
        buckets, total = [], 0
        for bound in (*map(str, LATENESS_BUCKETS), "inf"):
            total += self._counts[f"late|{bound}"]
            buckets.append(("+Inf" if bound == "inf" else str(int(bound) / 1000), total))
        family.add_metric([], buckets, self._counts["late_ms"] / 1000)
        return family


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"dispatcher_{name}", says, value=value)


def _counter(name: str, says: str, label: str, counts: Counter[str]) -> Metric:
    family = CounterMetricFamily(f"dispatcher_{name}", says, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


@get("/metrics", opt={**PUBLIC, "described": Described(answers={"text/plain": TEXT_SCHEMA})})
async def get_metrics(request: Asked) -> Answer:
    """Return the figures of this installation in Prometheus' text format."""
    read_query(request, {})
    service = parts_of(request).service
    lanes = await lane_figures(service.store)
    used = await memory(service.store)
    figures = Figures(lanes, used, service.clock.now())
    body = generate_latest(figures)
    return Answer(200, body, [(b"content-type", TEXT.encode()), (b"content-length", b"%d" % len(body))])
