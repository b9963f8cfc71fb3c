"""Which templates of its own a shop has in force, as the audit tells it."""

from dataclasses import replace

from tests.checkers.records import Record
from tests.checkers.state import Shop

VERSIONS_KEPT = 20
"""Texts of so many versions of a template are kept, the newest."""

OWN = "@shop."


def template_changed(shop: Shop, record: Record) -> tuple[Shop, str]:
    """Return a shop after a record of a changed template, and what is wrong with it, if anything."""
    details = record["details"]
    name, change, texts = details["name"], details["change"], dict(shop.texts)
    before = {each.rpartition("@")[0]: int(each.rpartition("@")[2]) for each in shop.published}
    draft = texts.get(f"{name}@draft")
    if change == "drafted":
        texts[f"{name}@draft"] = details["sha256"]
        problem = "drafts what the draft is" if draft == details["sha256"] else ""
        return _with_texts(shop, texts), problem
    if change == "discarded":
        texts.pop(f"{name}@draft", None)
        return _with_texts(shop, texts), "" if draft else "discards no draft"
    version = details["version"]
    problem = "changes nothing of what is in force" if before.get(name, 0) == version else ""
    if change == "published":
        problem = problem or ("" if draft == details["sha256"] else "publishes what is not the draft")
        texts[f"{name}@{version}"] = details["sha256"]
        texts.pop(f"{name}@{version - VERSIONS_KEPT}", None)
    elif change == "rolled_back":
        there = texts.get(f"{name}@{version}") == details["sha256"]
        problem = problem or ("" if there else "goes back to what is not kept")
    elif change != "withdrawn" or version != 0:
        return shop, f"changes a template in an unknown way: {change}"
    if (OWN in record["template"]) != (version > 0):
        problem = problem or f"is called {record['template']}"
    now = before | {name: version}
    published = frozenset(f"{each}@{number}" for each, number in now.items() if number > 0)
    return replace(_with_texts(shop, texts), published=published), problem


def in_force(shop: Shop, template: str) -> bool:
    """Tell whether a template that a record names may be what the shop has in force."""
    called, own, version = template.partition(OWN)
    return not own or any(f"/{each}".endswith(f"/{called}@{version}") for each in shop.published)


def _with_texts(shop: Shop, texts: dict[str, str]) -> Shop:
    return replace(shop, texts=frozenset(texts.items()))
