"""Judge an audit by the policies it names: `python -m tests.checkers AUDIT.jsonl [--unfinished]`.

The file is one that `dispatcher simulate --audit` or `dispatcher audit export` wrote; with `--unfinished`
reminders may still be owed. Prints each violation and how many checks were made; ends with 1 if there is any.
"""

import sys

from tests.checkers.records import load
from tests.checkers.versions import check_versions


def main(path: str, *flags: str) -> int:
    """Check an audit; answer with the exit code."""
    records = load(path)
    violations, checks = check_versions(records, finished="--unfinished" not in flags)
    for violation in violations:
        print(violation)
    print(f"{len(records)} records, {checks} checks, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
