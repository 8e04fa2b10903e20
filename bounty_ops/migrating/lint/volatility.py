"""Whether an expression gives another value for every row."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from pglast import ast

from bounty_ops.migrating.lint.tree import below, plain_function

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.schema import Catalogue
    from bounty_ops.migrating.lint.tree import Node


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
    volatile, steady = _builtin()
    return name in volatile or name not in steady


def is_builtin(name: str) -> bool:
    """Whether PostgreSQL brings a function of that name."""
    volatile, steady = _builtin()
    return name in volatile or name in steady


@cache
def _builtin() -> tuple[frozenset[str], frozenset[str]]:
    text = files(__package__).joinpath("builtin_functions.txt").read_text(encoding="ascii")
    volatile, steady = text.split("\n\n")
    return frozenset(volatile.split()[1:]), frozenset(steady.split()[3:])
