"""An audit of shops whose policies changed: each hand-off is judged by the version that it names."""

from collections import defaultdict
from typing import Any

from tests.checkers.promises import CheckerRules, checks_of, limits_of, rules_of
from tests.checkers.records import Record, form
from tests.checkers.terms import DEFAULT_DOCUMENT

Version = tuple[str, int]
"""(shop, version); 0 is the default policy."""


def documents(records: list[Record]) -> dict[Version, dict[str, Any]]:
    """Return the policies that an audit tells of and that some other record names."""
    told = {(record["shop"], 0): DEFAULT_DOCUMENT for record in records}
    named = set()
    for record in records:
        version = record["shop"], record["policy"]
        if record["kind"] != "policy.changed":
            named.add(version)
        elif "policy" in record["details"]:
            told[version] = record["details"]["policy"]
    return {version: document for version, document in told.items() if version in named}


def check_versions(records: list[Record], *, finished: bool) -> tuple[list[str], int]:
    """Return every violation as `check_all` does, and how many checks were made.

    What was handed over under another version counts against a limit, and does not break it.
    """
    if wrong := form(records):
        return [f"form: {violation}" for violation in wrong], 1
    made = [
        (title, check, records) for title, check in checks_of(CheckerRules(zone="UTC", finished=finished))
    ]
    for (shop, version), document in documents(records).items():
        of_shop = [record for record in records if record["shop"] == shop]
        marked = [record | {"judged": record["policy"] == version} for record in of_shop]
        for title, check in limits_of(rules_of(document)):
            # How much falls on a minute is told by all that were planned alike.
            made.append((title, check, _alone(of_shop, version) if title == "spread" else marked))
    violations = [f"{title}: {violation}" for title, check, given in made for violation in check(given)]
    return violations, len(made)


def _alone(records: list[Record], version: int) -> list[Record]:
    """Leave out the reminders that another version had a part in."""
    named: dict[str | None, set[int]] = defaultdict(set)
    for record in records:
        if record["policy"] is not None:
            named[record["reminder"]].add(record["policy"])
    return [
        record for record in records if record["reminder"] is None or named[record["reminder"]] == {version}
    ]
