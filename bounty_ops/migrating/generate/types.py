"""Which changes of a column's type PostgreSQL makes without touching a row."""

from __future__ import annotations

import re
from typing import Final

from pglast import ast

from bounty_ops.migrating.generate.statements import Node, expression, is_a, strings, written

_TYPE: Final = re.compile(
    r"^(?P<name>[^()\[\]]+?)\s*(?:\((?P<length>\d+)(?:,\s*(?P<scale>-?\d+))?\))?"
    r"(?P<rest>[^()\[\]]*)(?P<array>(?:\[\])*)$"
)
_NAMES: Final = {
    "varchar": "character varying", "char": "character", "bpchar": "character",
    "int": "integer", "int2": "smallint", "int4": "integer", "int8": "bigint",
    "bool": "boolean", "float4": "real", "float8": "double precision", "decimal": "numeric",
    "timestamptz": "timestamp with time zone", "timestamp": "timestamp without time zone",
    "timetz": "time with time zone", "time": "time without time zone", "varbit": "bit varying",
}  # fmt: skip
#: Of these only the limit changes, and a higher one is met by all that is there.
_LIMITED: Final = frozenset(
    {
        "character varying",
        "bit varying",
        "timestamp without time zone",
        "timestamp with time zone",
        "time without time zone",
        "time with time zone",
        "interval",
    }
)
_UNLIMITED: Final = {"character varying": "text"}


def canonical_type(text: str) -> tuple[str, tuple[int, ...], str]:
    """A type's name, its numbers, and how many dimensions it has: ``numeric(10,2)[]``."""
    match = _TYPE.match(text.strip().removeprefix("pg_catalog."))
    if match is None:
        return text, (), ""
    name = f"{match['name'].strip()}{match['rest'].rstrip()}".lower()
    numbers = tuple(int(match[part]) for part in ("length", "scale") if match[part] is not None)
    return _NAMES.get(name, name), numbers, match["array"]


def same_storage(before: str, after: str) -> bool:
    """Whether every value of the one type is stored as the other stores it (PostgreSQL 14-18).

    ``timestamp`` to ``timestamptz`` is one such change only in a session whose time zone is UTC,
    and nothing here may depend on a session.
    """
    old, old_numbers, old_array = canonical_type(before)
    new, new_numbers, new_array = canonical_type(after)
    if old_array != new_array:
        return False
    if old_array and (old, old_numbers) != (new, new_numbers):
        # An array is converted element by element, unless only its name changes.
        return {old, new} == {"text", "character varying"} and not old_numbers and not new_numbers
    if old == new:
        return _limit_grows(old, old_numbers, new_numbers)
    if old == "character varying" and new == "text":
        return True
    if old == "text" and new == "character varying":
        return not new_numbers
    return (old, new) == ("cidr", "inet")


def _limit_grows(name: str, old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    if old == new:
        return True
    if name == "numeric":
        if not new:
            return True
        scales = [(*numbers, 0)[1] for numbers in (old, new)] if old else []
        return bool(old) and scales[0] == scales[1] and new[0] >= old[0]
    if name not in _LIMITED:
        return False
    return not new or (bool(old) and new[0] >= old[0])


def between_clocks(before: str, after: str) -> bool:
    """Whether one is a time with a zone and the other one without."""
    kinds = {canonical_type(before)[0], canonical_type(after)[0]}
    return kinds == {"timestamp without time zone", "timestamp with time zone"}


def simple_conversion(before: str, after: str, column: str) -> str:
    """A conversion of values that survive it; times without a zone are UTC.

    A plain cast would take them for times of whatever zone a session happens to have.
    """
    if between_clocks(before, after):
        return f"CAST({column} AT TIME ZONE 'UTC' AS {after})"
    return (
        f"CAST({column} AS {after})"
        if _direct(before, after)
        else (f"CAST(CAST({column} AS text{'[]' if before.endswith('[]') else ''}) AS {after})")
    )


_BUILTIN: Final = frozenset(
    {
        "smallint", "integer", "bigint", "numeric", "real", "double precision", "text",
        "character varying", "character", "boolean", "json", "jsonb", "date",
        "timestamp without time zone", "timestamp with time zone", "interval",
    }
)  # fmt: skip


def _direct(before: str, after: str) -> bool:
    old, new = canonical_type(before)[0], canonical_type(after)[0]
    texts = {"text", "character varying", "character"}
    numbers = {"smallint", "integer", "bigint", "numeric", "real", "double precision"}
    times = {"date", "timestamp without time zone", "timestamp with time zone"}
    same = any({old, new} <= family for family in (numbers, times, {"json", "jsonb"}))
    return same or bool({old, new} & texts)


class _Types:
    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new

    def replaced(self, node: Node) -> None:
        if is_a(node, ast.TypeName):
            names = strings(node.names)
            if names[-1] == self._old and names[:-1] in ((), ("public",)):
                node.names = (ast.String(sval="public"), ast.String(sval=self._new))
        if is_a(node, ast.Node):
            for slot in node.__slots__:
                self.replaced(getattr(node, slot, None))
        elif isinstance(node, tuple | list):
            for each in node:
                self.replaced(each)


def with_type(sql: str, old: str, new: str) -> str:
    """An expression with one type of `public` in it replaced by another."""
    node = expression(sql)
    _Types(old, new).replaced(node)
    return written(node)


def replace_type(node: Node, old: str, new: str) -> None:
    """The same for a tree, which changes."""
    _Types(old, new).replaced(node)
