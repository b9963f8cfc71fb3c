"""How long it takes to render a message and to check what it says.

    python -m tests.benchmarks.wording [N]

Both steps' messages on each channel, for N orders that differ, under the default policy. No store is asked.
"""

from pathlib import Path
from statistics import median
from time import perf_counter_ns

from dispatcher.messages.catalog import Catalog
from dispatcher.messages.rendering import render
from dispatcher.messages.wording import check
from dispatcher.policy.document import default_policy
from dispatcher.policy.facts import CHANNELS
from tests.benchmarks.scene import Figures, alone, tell
from tests.messages.samples import CUSTOMER, NOW, decided, order


async def measure(directory: Path, count: int) -> Figures:
    """Return the medians in microseconds, over all messages, of both and of the check alone."""
    catalog, policy = Catalog.load(), default_policy()
    rules = catalog.rules_of(policy)
    both, alone_checked = [], []
    for number in range(count):
        about = order(id=f"O-{number}", pay_url=f"https://pay.example/O-{number}")
        for step, now in NOW.items():
            for channel in CHANNELS:
                facts, send = decided(step, channel, about, CUSTOMER, now)
                start = perf_counter_ns()
                text = render(catalog, facts, send, policy, now).text
                rendered = perf_counter_ns()
                check(text, rules)
                both.append(rendered - start)
                alone_checked.append(perf_counter_ns() - rendered)
    figures = {
        "render_check_us": round(median(both) / 1000, 1),
        "check_us": round(median(alone_checked) / 1000, 1),
    }
    tell(f"wording: {figures['render_check_us']} µs a message, {figures['check_us']} of them its check")
    return dict(figures)


if __name__ == "__main__":
    alone(measure, 2_000)
