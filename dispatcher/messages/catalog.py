"""The messages there are, loaded once from the templates' directory."""

import tomllib
from pathlib import Path
from typing import Literal

import jinja2
import msgspec
from jinja2.sandbox import ImmutableSandboxedEnvironment

import dispatcher
from dispatcher.errors import InvalidTemplate
from dispatcher.messages.fields import FIELDS
from dispatcher.messages.language import environment, parsed
from dispatcher.policy.facts import CHANNELS, Channel

MANIFEST = "catalog.toml"

Kind = Literal["first_reminder", "before_close", "merged_orders"]
KINDS: dict[Kind, tuple[Channel, ...]] = {
    "first_reminder": CHANNELS,
    "before_close": CHANNELS,
    "merged_orders": ("chat", "sms"),
}
"""The kinds of messages, with the channels that each goes by; a call is about one order."""

Element = Literal[
    "shop", "greeting", "product", "specification", "time", "order", "amount", "receiver", "close",
    "pay_link", "same_day_shipping", "self_introduction", "service_promise",
    "orders",
]  # fmt: skip

ELEMENT_FIELDS: dict[Element, frozenset[str]] = {
    "shop": frozenset({"shop"}),
    "greeting": frozenset({"customer"}),
    "product": frozenset({"product"}),
    "specification": frozenset({"spec"}),
    "time": frozenset({"placed"}),
    "order": frozenset({"order_tail"}),
    "amount": frozenset({"total"}),
    "receiver": frozenset({"city"}),
    "close": frozenset({"closes"}),
    "pay_link": frozenset({"pay_url"}),
    "same_day_shipping": frozenset({"ships_before"}),
    "self_introduction": frozenset({"shop", "agent"}),
    "service_promise": frozenset(),
    "orders": frozenset({"orders_count", "orders_total", "orders_placed", "orders_product", "orders_close"}),
}
"""The fields by which a template carries an element; a promise is words alone."""


class Entry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"message_class": "class"}
):
    """What the manifest says of one template."""

    version: int
    message_class: Literal["notice"]
    technique: Literal["check_details", "honest_urgency"]
    elements: tuple[Element, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The catalog's file: for each kind and channel its template."""

    locale: Literal["zh-CN"]
    templates: dict[Kind, dict[Channel, Entry]]


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One compiled template; `name` is what the audit keeps, as in `first_reminder/sms@1`."""

    name: str
    entry: Entry
    fields: frozenset[str]
    compiled: jinja2.Template


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """Every template there is, compiled, with the directory they came from."""

    directory: Path
    templates: dict[tuple[Kind, Channel], Template]

    @classmethod
    def load(cls, directory: Path | None = None) -> "Catalog":
        """Read and compile all templates; `InvalidTemplate` when any is missing or not right."""
        found = _directory(directory)
        manifest = _manifest(found / MANIFEST)
        env = environment()
        templates = {
            (kind, channel): _template(env, found, manifest, kind, channel)
            for kind in KINDS
            for channel in KINDS[kind]
        }
        return cls(directory=found, templates=templates)

    def template(self, step: int, channel: Channel, *, merged: bool = False) -> Template:
        """The template for a reminder's step: the first introduces, later ones tell the order's close.

        What is `merged` is about several orders, whichever step it is.
        """
        if merged:
            return self.templates["merged_orders", channel]
        return self.templates["first_reminder" if step == 1 else "before_close", channel]


def _directory(directory: Path | None) -> Path:
    """The directory named, else the one packed into the wheel, else the checkout's."""
    package = Path(dispatcher.__file__).parent
    places = (directory,) if directory else (package / "templates", package.parent / "templates")
    for place in places:
        if (place / MANIFEST).is_file():
            return place
    raise InvalidTemplate(f"expected {MANIFEST} in {' or '.join(map(str, places))}")


def _manifest(path: Path) -> Manifest:
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Manifest)
    except (ValueError, OSError) as error:  # what tomllib, msgspec and a bad encoding raise
        raise InvalidTemplate(f"{path}: {error}") from error


def _template(
    env: ImmutableSandboxedEnvironment, directory: Path, manifest: Manifest, kind: Kind, channel: Channel
) -> Template:
    entry = manifest.templates.get(kind, {}).get(channel)
    if entry is None:
        raise InvalidTemplate(f"{directory / MANIFEST}: expected a section [templates.{kind}.{channel}]")
    path = directory / manifest.locale / kind / f"{channel}.j2"
    try:
        tree, names = parsed(env, path.read_text("utf-8"), str(path))
        compiled = env.from_string(tree)
    except jinja2.TemplateSyntaxError as error:
        raise InvalidTemplate(f"{path}, line {error.lineno}: {error.message}") from error
    except (ValueError, OSError) as error:
        raise InvalidTemplate(f"{path}: {error}") from error
    _check_names(path, entry, names)
    return Template(name=f"{kind}/{channel}@{entry.version}", entry=entry, fields=names, compiled=compiled)


def _check_names(path: Path, entry: Entry, names: frozenset[str]) -> None:
    if unknown := sorted(names - FIELDS.keys()):
        raise InvalidTemplate(f"{path}: unknown field {', '.join(unknown)}; known are {', '.join(FIELDS)}")
    for element in entry.elements:
        if absent := sorted(ELEMENT_FIELDS[element] - names):
            raise InvalidTemplate(f"{path}: must carry {element}, but does not use {', '.join(absent)}")
