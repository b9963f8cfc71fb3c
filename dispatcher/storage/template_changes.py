"""What is kept of a shop's template, and what may be done to it (see `lua/template.lua`)."""

from typing import Literal

import msgspec

from dispatcher.storage.records import About

Change = Literal["draft", "discard", "publish", "rollback", "withdraw"]


class Kept(msgspec.Struct, frozen=True):
    """A template's text, and what is known of when it was written, by whom and why."""

    text: str
    about: About


class TemplateChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the template `name`, as in `zh-CN/first_reminder/sms`.

    `called` is what the shop's versions are called in the audit, up to their number, of what is withdrawn
    the product's own name. `text` is what is drafted, or the draft that is published; `version` what one
    goes back to. `told` goes into the audit.
    """

    kind: Change
    name: str
    called: str
    told: dict[str, str]
    text: str | None = None
    note: str | None = None
    version: int | None = None
