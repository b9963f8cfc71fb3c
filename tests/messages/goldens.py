"""Writes the golden files: `python -m tests.messages.goldens`. Whoever does reads what has changed in them.

A file has a table for each template: what it carries, and for each case its text; of a text message also how
many segments it is billed as, of a call how many seconds it takes to read out.
"""

import tomllib
from pathlib import Path
from typing import Any

from dispatcher.messages.calls import seconds_to_read
from dispatcher.messages.catalog import WORDS, Catalog
from dispatcher.messages.sms import segments
from dispatcher.policy.terms import Locale
from tests.messages.cases import told

DIRECTORY = Path(__file__).parent
COST = {"sms": ("segments", segments), "phone": ("seconds", lambda text: round(seconds_to_read(text)))}

Golden = dict[str, dict[str, Any]]


def path_of(locale: Locale) -> Path:
    """The golden file of a language."""
    return DIRECTORY / f"golden.{locale}.toml"


def read(locale: Locale) -> Golden:
    """What is in the golden file of a language."""
    return tomllib.loads(path_of(locale).read_text("utf-8"))


def made(catalog: Catalog, locale: Locale) -> Golden:
    """What the templates of a language say today."""
    golden: Golden = {}
    for (of, kind, channel), template in catalog.templates.items():
        if of == locale:
            texts = dict(told(catalog, locale, kind, template))
            golden[template.name] = {"elements": list(template.entry.elements)}
            if channel in COST:
                name, figure = COST[channel]
                golden[template.name][name] = {case: figure(text) for case, text in texts.items()}
            golden[template.name]["texts"] = texts
    return golden


def _written(golden: Golden) -> str:
    lines = ["# Texts of every template, to be read and judged by people. How they are made: goldens.py."]
    for name, table in golden.items():
        lines += ["", f'["{name}"]', f"elements = {table['elements']}".replace("'", '"')]
        for figure in ("segments", "seconds"):
            if figure in table:
                told = ", ".join(f"{case} = {value}" for case, value in table[figure].items())
                lines.append(f"{figure} = {{ {told} }}")
        lines.append(f'["{name}".texts]')
        lines += [f'{case} = """\n{text}"""' for case, text in table["texts"].items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for each in WORDS:
        path_of(each).write_text(_written(made(Catalog.load(), each)), "utf-8")
