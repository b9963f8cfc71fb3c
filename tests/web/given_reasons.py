"""The reasons that the policy's rooms spell where they hold a reminder back or drop it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from dispatcher.policy.decide import REASONS

POLICY = Path(__file__).parents[2] / "dispatcher" / "policy"
NAMES = frozenset({"reason", "refusal", "unusable"})
"""What a reason is called where it is passed on."""
BLOCKING = "Block"
"""What a rule of time is named in when it puts a reminder off; it is the reason, unless `REASONS` has one."""
REFUSING = ("refuse_", "_no", "no_time")
"""How functions begin that return a reason."""


def given_reasons() -> set[str]:
    """Return every text that is passed on as a reason, refuses, or names a rule of time that blocks."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in POLICY.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    takes = {
        node.name: [at for at, one in enumerate(node.args.args) if one.arg in NAMES]
        for node in nodes
        if isinstance(node, ast.FunctionDef)
    }
    return {text for node in nodes for value in _reasons(node, takes) for text in _texts(value)}


def _reasons(node: ast.AST, takes: dict[str, list[int]]) -> Iterator[ast.AST]:
    """Yield what stands for a reason in a node; `takes` says which arguments of a function do."""
    match node:
        case ast.keyword(arg=str(name), value=value) if name in NAMES:
            yield value
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in NAMES:
            yield value
        case ast.FunctionDef(name=name) if name.startswith(REFUSING):
            yield from (one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value)
        case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(rule)), *_]) if name == BLOCKING:
            yield ast.Constant(REASONS.get(rule, rule))
        case ast.Call(func=ast.Name(id=name), args=given):
            yield from (given[at] for at in takes.get(name, ()) if at < len(given))


def _texts(value: ast.AST) -> Iterator[str]:
    """Yield the texts that an expression may come to."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from _texts(body)
            yield from _texts(other)
        case ast.BoolOp(values=values):
            for one in values:
                yield from _texts(one)
