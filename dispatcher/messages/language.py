"""What a template may do: name fields, ask whether they are there, and nothing that reaches further."""

import re
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import TemplateRuntimeError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from dispatcher.errors import MissingField
from dispatcher.messages.fields import FIELDS

LINE_BREAK = "¶"

_SOURCE_BREAK = re.compile(r"[ \t]*\n\s*")


class MissingValue(StrictUndefined):
    """A field without a value: `is defined` says no, and any other use raises `MissingField`."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] | None = None,
    ) -> None:
        if exc is not None:
            super().__init__(hint, obj, name, exc)
        elif obj is missing and name in FIELDS:
            # Jinja raises what it is told to, with the hint as its only argument.
            super().__init__(FIELDS[name].path, obj, name, MissingField)  # type: ignore[arg-type]
        else:
            super().__init__(hint, obj, name)


def environment() -> ImmutableSandboxedEnvironment:
    """An environment for plain text in which a template sees its fields and nothing else."""
    env = ImmutableSandboxedEnvironment(undefined=MissingValue, autoescape=False)
    env.globals.clear()
    return env


def parsed(
    env: ImmutableSandboxedEnvironment, source: str, file: str
) -> tuple[nodes.Template, frozenset[str]]:
    """The template as a tree and the names it uses; `TemplateSyntaxError` when it is not one.

    Line breaks and indentation of the source are for its editor: they are left out, and `¶` stands for
    a line break of the message.
    """
    tree = env.parse(source, filename=file)
    for text in tree.find_all(nodes.TemplateData):
        text.data = _SOURCE_BREAK.sub("", text.data).replace(LINE_BREAK, "\n")
    return tree, frozenset(find_undeclared_variables(tree))
