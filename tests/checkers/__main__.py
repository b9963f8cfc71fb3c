"""Judge an audit by the policy it names: `python -m tests.checkers AUDIT.jsonl [--unfinished]`.

The file is one that `dispatcher simulate --audit` or `dispatcher audit export` wrote; with `--unfinished`
reminders may still be owed. Prints each violation and how many checks were made; ends with 1 if there is any.
"""

import sys
from typing import Any

from tests.checkers.promises import check_all, checks_of, rules_of
from tests.checkers.records import Record, load
from tests.checkers.terms import DEFAULT_DOCUMENT


def documents(records: list[Record]) -> list[dict[str, Any]]:
    """Return the policies of an audit that differ, or the default one."""
    found: list[dict[str, Any]] = []
    for record in records:
        if record["kind"] == "policy.changed" and record["details"]["policy"] not in found:
            found.append(record["details"]["policy"])
    return found or [DEFAULT_DOCUMENT]


def main(path: str, *flags: str) -> int:
    """Check an audit that has one policy; answer with the exit code."""
    records = load(path)
    if len(policies := documents(records)) > 1:
        print(f"expected one policy, found {len(policies)}", file=sys.stderr)
        return 2
    rules = rules_of(policies[0], finished="--unfinished" not in flags)
    violations = check_all(records, rules)
    for violation in violations:
        print(violation)
    print(f"{len(records)} records, {len(checks_of(rules))} checks, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
