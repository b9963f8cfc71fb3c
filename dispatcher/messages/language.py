"""What a template may do: show fields, ask whether they are there, and nothing that reaches further."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice

from jinja2 import Environment, TemplateSyntaxError, nodes

from dispatcher.messages.bounds import MAX_PROBLEMS, MAX_SOURCE_CHARACTERS, Problem, beyond_bounds, shown
from dispatcher.messages.fields import FIELDS
from dispatcher.messages.filters import FILTERS, MAX_SHORT_COLUMNS, MIN_SHORT_COLUMNS
from dispatcher.policy.unseen import UNSEEN

LINE_BREAK = "¶"
MAX_SAID = 160
"""Characters of what the parser complains of."""

# Spaces are looked at from their first one only: else a long run of them takes its square.
_SOURCE_BREAK = re.compile(r"(?<![ \t])[ \t]*\n\s*")
_BLANKS = "\n\t\u3000"

_PARSER = Environment()  # noqa: S701 - it reads templates and never runs one

_CALLED: dict[type[nodes.Node], str] = {
    nodes.Getattr: "an attribute",
    nodes.Getitem: "a subscript",
    nodes.Call: "a call",
    nodes.Concat: "joining with ~",
    nodes.BinExpr: "arithmetic",
    nodes.UnaryExpr: "arithmetic",
    nodes.Compare: "a comparison",
    nodes.CondExpr: "an if within a value",
    nodes.Literal: "a value that is no field",
    nodes.Test: "a test",
    nodes.Filter: "a filter",
    nodes.And: "and",
    nodes.Or: "or",
    nodes.Not: "not",
}
"""What people call a node that is refused, the more special kinds through their bases."""


def parsed(source: str) -> tuple[nodes.Template | None, tuple[Problem, ...]]:
    """The template as a tree of nothing but what is allowed, or what is wrong with it.

    Line breaks and indentation of the source are for its editor: they are left out, and `¶` stands for
    a line break of the message.
    """
    if len(source) > MAX_SOURCE_CHARACTERS:
        return None, (Problem(1, f"expected at most {MAX_SOURCE_CHARACTERS} characters"),)
    try:
        # Jinja's parser goes as deep as its source does, so that is bounded before it starts.
        problems = tuple(islice(beyond_bounds(_PARSER.lexer.tokeniter(source, None)), MAX_PROBLEMS))
        if problems:
            return None, problems
        tree = _PARSER.parse(source)
    except TemplateSyntaxError as error:
        return None, (Problem(error.lineno, str(error.message)[:MAX_SAID]),)
    problems = tuple(islice(_refused(tree.body), MAX_PROBLEMS))
    if problems:
        return None, problems
    for text in tree.find_all(nodes.TemplateData):
        text.data = _SOURCE_BREAK.sub("", text.data).replace(LINE_BREAK, "\n")
    return tree, ()


def _refused(statements: list[nodes.Node]) -> Iterator[Problem]:
    for statement in statements:
        match statement:
            case nodes.Output():
                for part in statement.nodes:
                    yield from _refused_value(part)
            case nodes.If():
                for branch in (statement, *statement.elif_):
                    yield from _refused_condition(branch.test)
                    yield from _refused(branch.body)
                yield from _refused(statement.else_)
            case _:
                yield _not_allowed(statement, "text, a field, or if, elif, else, endif")


def _refused_text(text: nodes.TemplateData) -> Iterator[Problem]:
    for place, char in enumerate(text.data):
        if char in "{}":
            detail = f"expected no single {char} in the text; a field stands in {{{{ }}}}"
        elif char in "︻︼":
            detail = f"expected no {char}, which looks like a signature's bracket"
        elif char in UNSEEN or (not char.isprintable() and char not in _BLANKS):
            # It costs segments, hides words from the wording rules, or turns the text around.
            detail = f"expected no invisible character in the text, got U+{ord(char):04X}"
        else:
            continue
        yield Problem(text.lineno + text.data.count("\n", 0, place), detail)


def _refused_value(value: nodes.Expr) -> Iterator[Problem]:
    match value:
        case nodes.TemplateData():
            yield from _refused_text(value)
        case nodes.Name():
            yield from _unknown(value)
            if value.name in FIELDS and FIELDS[value.name].kind == "yes/no":
                yield Problem(value.lineno, f"{value.name} is yes or no: expected it in an if")
        case nodes.Filter(node=nodes.Name() as name):
            yield from _refused_filter(value, name)
        case nodes.Filter(node=nodes.Filter()):
            yield Problem(value.lineno, "expected one filter behind a field")
        case _:
            yield _not_allowed(value, "a field")


def _refused_filter(used: nodes.Filter, name: nodes.Name) -> Iterator[Problem]:
    known = FILTERS.get(used.name)
    if known is None:
        yield Problem(used.lineno, f"unknown filter {shown(used.name)}; known are {', '.join(FILTERS)}")
        return
    yield from _unknown(name)
    field = FIELDS.get(name.name)
    if field is not None and field.kind != known.kind:
        yield Problem(used.lineno, f"{used.name} is for {known.kind}, but {name.name} is {field.kind}")
    match used.args:
        case [] if not known.takes_columns:
            right = True
        case [nodes.Const(value=int(columns))] if known.takes_columns:
            right = MIN_SHORT_COLUMNS <= columns <= MAX_SHORT_COLUMNS
        case _:
            right = False
    if not right or used.kwargs or used.dyn_args or used.dyn_kwargs:
        between = f" with {MIN_SHORT_COLUMNS} to {MAX_SHORT_COLUMNS} columns" if known.takes_columns else ""
        yield Problem(used.lineno, f"expected {used.name}{between}, as in {known.example}")


def _refused_condition(condition: nodes.Node) -> Iterator[Problem]:
    match condition:
        case nodes.And() | nodes.Or():
            yield from _refused_condition(condition.left)
            yield from _refused_condition(condition.right)
        case nodes.Not():
            yield from _refused_condition(condition.node)
        case nodes.Test(name="defined", node=nodes.Name() as name):
            yield from _unknown(name)
            if name.name in FIELDS and FIELDS[name.name].kind == "yes/no":
                yield Problem(name.lineno, f"{name.name} is always there: expected if {name.name}")
        case nodes.Name():
            yield from _unknown(condition)
            if condition.name in FIELDS and FIELDS[condition.name].kind != "yes/no":
                yield Problem(condition.lineno, f"expected if {condition.name} is defined")
        case _:
            yield _not_allowed(condition, "a field that is yes or no, is defined, and, or, not")


def _unknown(name: nodes.Name) -> Iterator[Problem]:
    if name.name not in FIELDS:
        meant = shown(name.name)
        near = get_close_matches(meant, FIELDS)
        known = ", ".join((*near, *(each for each in FIELDS if each not in near)))
        yield Problem(name.lineno, f"unknown field {meant}; known are {known}")


def _not_allowed(node: nodes.Node, expected: str) -> Problem:
    called = next((_CALLED[kind] for kind in type(node).__mro__ if kind in _CALLED), type(node).__name__)
    named = next((str(getattr(node, name)) for name in ("attr", "name") if hasattr(node, name)), "")
    found = f"{called} ({shown(named)})" if named else called
    return Problem(node.lineno, f"{found} is not allowed; expected {expected}")
