"""Whether an expression gives another value for every row."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from pglast import ast

from bounty_ops.migrating.lint.tree import below, plain_function

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.schema import Catalogue
    from bounty_ops.migrating.lint.tree import Node


_STABLE_WITH_ONE_ARGUMENT: Final = frozenset({
    "age", "plainto_tsquery", "phraseto_tsquery", "to_tsquery", "to_tsvector",
    "websearch_to_tsquery",
})  # fmt: skip
"""They take what they lack from a setting of the session, or from the day."""


def volatile_functions(catalogue: Catalogue, expression: Node) -> list[str]:
    """The functions in an expression for which PostgreSQL evaluates it row by row.

    One that is neither PostgreSQL's own nor known counts: VOLATILE is what CREATE FUNCTION makes
    unless it is told otherwise.
    """
    names = [plain_function(each.funcname) for each in below(expression, ast.FuncCall)]
    return [name for name in names if is_volatile(catalogue, name)]


def is_volatile(catalogue: Catalogue, name: str) -> bool:
    """Whether a function may answer differently within one statement."""
    known = catalogue.functions.get(name)
    if known is not None:
        return known.volatile
    volatile, stable, immutable = _builtin()
    return name in volatile or name not in stable | immutable


def changing_parts(catalogue: Catalogue, expression: Node) -> list[str]:
    """What in an expression is certainly not IMMUTABLE, which indexes and stored columns ask for.

    A function that is not known is let pass: whoever indexes it has declared it so, most likely.
    """
    _, stable, _ = _builtin()
    found = [
        f"{name}()"
        for each in below(expression, ast.FuncCall)
        for name in [plain_function(each.funcname)]
        if name in stable
        or _is_known_to_change(catalogue, name)
        or (name in _STABLE_WITH_ONE_ARGUMENT and len(each.args or ()) == 1)
    ]
    if any(True for _ in below(expression, ast.SQLValueFunction)):
        found.append("the current time or user")
    return found


def _is_known_to_change(catalogue: Catalogue, name: str) -> bool:
    known = catalogue.functions.get(name)
    return not known.immutable if known is not None else name in _builtin()[0]


def is_builtin(name: str) -> bool:
    """Whether PostgreSQL brings a function of that name."""
    return any(name in each for each in _builtin())


@cache
def _builtin() -> tuple[frozenset[str], ...]:
    """PostgreSQL's own functions of all majors: volatile, stable, the others."""
    text = files(__package__).joinpath("builtin_functions.txt").read_text(encoding="ascii")
    sections = [each.partition("\n")[2] for each in text.split("\n\n")]
    return tuple(frozenset(each.split()) for each in sections)
