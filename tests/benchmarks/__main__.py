"""`make bench`: every figure as one JSON object on standard output, progress on standard error.

    python -m tests.benchmarks [--small]

Each part runs in a process of its own, one after the other. `--small` takes less than a minute and says
nothing about speed: it shows that everything works.
"""

import json
import os
import signal
import subprocess
import sys
from types import FrameType
from typing import Any

FIGURES = (
    "ingest_single_per_s",
    "ingest_batch_per_s",
    "empty_handler_per_s",
    "dispatch_per_s",
    "arq_job_per_reminder_per_s",
    "arq_noop_per_s",
    "dispatch_ratio",
    "store_bytes_per_reminder",
    "dispatch_per_s_at_10k",
    "dispatch_per_s_at_1m",
    "p99_lateness_s",
    "render_check_us",
    "cpus",
    "store",
)
"""What is printed first, in this order; whatever else the parts tell follows."""

SMALL = {"footprint": 500, "dispatch": 500, "growth": 1_000, "ingest": 500, "lateness": 1, "wording": 50}
"""How much each part does with `--small`; without it as much as the part itself finds right."""

STOP_SECONDS = 60.0
"""How long a part may take to end its own processes when it is told to stop."""


def run(part: str, *count: str) -> dict[str, Any]:
    """Run one part to its end and return its figures; it ends with us."""
    print(f"— {part}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"tests.benchmarks.{part}", *count]
    # In a session of its own, so that Ctrl-C reaches it once, through us.
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            printed, _ = process.communicate()
        except BaseException:
            _stop(process)
            raise
    if process.returncode != 0:
        sys.exit(f"{part} ended with {process.returncode}: no figures")
    figures: dict[str, Any] = json.loads(printed)
    return figures


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def stop(number: int, frame: FrameType | None) -> None:
    """End when told to."""
    sys.exit(128 + number)


def main() -> None:
    """Run all parts and print what they found."""
    signal.signal(signal.SIGTERM, stop)
    found: dict[str, Any] = {"cpus": os.cpu_count()}
    for part, small in SMALL.items():
        found |= run(part, *([str(small)] if "--small" in sys.argv[1:] else []))
    first = {name: found.pop(name) for name in FIGURES}
    print(json.dumps(first | found))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped")
