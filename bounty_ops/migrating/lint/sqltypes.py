"""Column types, and what PostgreSQL does when one is changed into another.

`ATColumnChangeRequiresRewrite` keeps the rows where the conversion is a relabelling: a pair of
types with the same bytes, or a length that a support function proves not to shorten anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pglast import ast

from bounty_ops.migrating.lint.tree import first_expression, integer, qualified, strings

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.tree import Node


@dataclass(frozen=True)
class SqlType:
    """A type as a column declares it; names as `pg_type` has them."""

    name: str
    modifiers: tuple[int, ...] = ()
    array: bool = False

    def __str__(self) -> str:
        inside = f"({','.join(map(str, self.modifiers))})" if self.modifiers else ""
        return f"{self.name}{inside}{'[]' if self.array else ''}"


class Change(Enum):
    """What it costs to give a column another type."""

    NOTHING = "the rows stay as they are"
    REINDEX = "the rows stay, indexes on the column are built again"
    REWRITE = "every row is written again"
    ZONE = "every row is written again unless the session's time zone is UTC"


_SERIALS: Final = {
    "serial": "int4", "serial4": "int4", "bigserial": "int8", "serial8": "int8",
    "smallserial": "int2", "serial2": "int2",
}  # fmt: skip
_SPELLINGS: Final = {"decimal": "numeric"}

_RELABELLED: Final = frozenset({
    ("text", "varchar"), ("varchar", "text"), ("text", "bpchar"), ("varchar", "bpchar"),
    ("cidr", "inet"), ("bit", "varbit"), ("varbit", "bit"), ("xml", "text"), ("xml", "varchar"),
    ("xml", "bpchar"), ("citext", "text"), ("citext", "varchar"), ("citext", "bpchar"),
    ("text", "citext"), ("varchar", "citext"), ("int4", "oid"), ("oid", "int4"),
    ("oid", "regclass"), ("regclass", "oid"), ("int4", "regclass"), ("regclass", "int4"),
})  # fmt: skip
_SAME_INDEX: Final = frozenset({("text", "varchar"), ("varchar", "text"), ("cidr", "inet")})
"""Pairs whose indexes use the same operators, so that they are kept as well."""

_WIDENING: Final = frozenset({"varchar", "varbit"})
_PRECISION: Final = frozenset({"timestamp", "timestamptz", "time", "timetz", "interval"})
_FULL_PRECISION: Final = 6


def is_serial(node: Node) -> bool:
    """Whether a TypeName is one of the serial pseudo-types."""
    words = strings(node.names)
    return len(words) == 1 and words[0] in _SERIALS


def read_type(node: Node) -> SqlType | None:
    """The type that a TypeName means; None where there is none."""
    if node is None:
        return None
    words = strings(node.names)
    if not words:
        return None
    if words[0] == "pg_catalog":
        words = words[1:]
    name = qualified(words[-2] if len(words) > 1 else None, words[-1])
    name = _SERIALS.get(name, _SPELLINGS.get(name, name))
    modifiers = tuple(value for each in node.typmods or () if (value := integer(each)) is not None)
    if name == "numeric" and len(modifiers) == 1:
        modifiers = (*modifiers, 0)
    if name == "interval":
        modifiers = modifiers[1:]  # the first says which fields; none are the rule
    return SqlType(name, modifiers, array=bool(node.arrayBounds))


@lru_cache(maxsize=4096)
def parse_type(text: str) -> SqlType | None:
    """The type that `format_type` spelled."""
    found = first_expression(f"SELECT NULL::{text}")
    return read_type(found.typeName) if isinstance(found, ast.TypeCast) else None


def change(old: SqlType, new: SqlType) -> Change:
    """What `ALTER COLUMN ... TYPE` does to the rows; both types without domains."""
    if old.array or new.array:
        same = old.array == new.array and old.name == new.name
        same = same and new.modifiers in {(), old.modifiers}
        return Change.NOTHING if same else Change.REWRITE
    if old.name == new.name:
        return Change.NOTHING if _keeps_length(old, new) else Change.REWRITE
    return _of_another_name(old, new)


def _of_another_name(old: SqlType, new: SqlType) -> Change:
    if {old.name, new.name} == {"timestamp", "timestamptz"}:
        return Change.ZONE if _keeps_length(old, new) else Change.REWRITE
    if (old.name, new.name) not in _RELABELLED or new.modifiers:
        # A length is enforced row by row unless the old one proves that it fits, and another
        # type's length proves nothing, save varchar's for varchar.
        return Change.REWRITE
    return Change.NOTHING if (old.name, new.name) in _SAME_INDEX else Change.REINDEX


def _keeps_length(old: SqlType, new: SqlType) -> bool:
    if old.modifiers == new.modifiers or not new.modifiers:
        return True
    if new.name in _PRECISION:
        was = old.modifiers[0] if old.modifiers else _FULL_PRECISION
        return new.modifiers[0] >= was
    if not old.modifiers:
        return False
    if new.name in _WIDENING:
        return new.modifiers[0] >= old.modifiers[0]
    if new.name == "numeric":
        return new.modifiers[1] == old.modifiers[1] and new.modifiers[0] >= old.modifiers[0]
    return False


@dataclass(frozen=True)
class Guess:
    """What is probable about a change when the old type is not known."""

    free: bool
    reason: str


_FREE_AT_A_GUESS: Final = {
    "text": "a varchar becomes text without touching a row; any other type is rewritten",
    "varchar": "a shorter varchar is widened without touching a row; a longer one, or text, is "
    "rewritten",
    "numeric": "more digits before the point cost nothing; another scale rewrites every row",
    "inet": "only cidr becomes inet without USING, and keeps its rows",
    "varbit": "a shorter bit varying is widened without touching a row",
}  # fmt: skip


def guess(new: SqlType) -> Guess:
    """What is more probable than not, from the new type alone."""
    reason = _FREE_AT_A_GUESS.get(new.name)
    if reason is None or new.array or (new.name == "numeric" and not new.modifiers):
        return Guess(free=False, reason="hardly any old type allows it without a rewrite")
    return Guess(free=True, reason=reason)
