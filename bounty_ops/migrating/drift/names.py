"""Writing names and texts as SQL."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.migrating.catalog import Key

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_$]*")


@cache
def _keywords() -> frozenset[str]:
    from pglast import keywords  # noqa: PLC0415 - slow to import

    return frozenset(
        keywords.RESERVED_KEYWORDS | keywords.TYPE_FUNC_NAME_KEYWORDS | keywords.COL_NAME_KEYWORDS
    )


def quoted(name: str) -> str:
    """An identifier, in quotes where it needs them; as PostgreSQL's quote_ident."""
    if _PLAIN.fullmatch(name) and name not in _keywords():
        return name
    return '"' + name.replace('"', '""') + '"'


def public(name: str) -> str:
    """A name in schema `public`, qualified: what runs must not depend on a search path."""
    return f"public.{quoted(name)}"


def literal(text: str) -> str:
    """A text constant."""
    constant = "'" + text.replace("'", "''") + "'"
    return "E" + constant.replace("\\", "\\\\") if "\\" in text else constant


#: How SQL calls a kind, where it is not the kind's own name.
_WORDS: Final = {
    "enum": "TYPE",
    "composite_type": "TYPE",
    "range_type": "TYPE",
    "base_type": "TYPE",
    "domain_constraint": "CONSTRAINT",
}


def word(kind: str) -> str:
    """What follows CREATE, ALTER, DROP and COMMENT ON."""
    return _WORDS.get(kind, kind.replace("_", " ").upper())


def addressed(key: Key) -> str:
    """An object as DROP and COMMENT ON name it, with its kind."""
    kind, *names = key
    return f"{word(kind)} {_address(kind, names)}"


def _address(kind: str, names: Sequence[str]) -> str:
    if kind in ("constraint", "trigger", "rule", "policy"):
        return f"{quoted(names[1])} ON {public(names[0])}"
    if kind == "domain_constraint":
        return f"{quoted(names[1])} ON DOMAIN {public(names[0])}"
    if kind == "column":
        return f"{public(names[0])}.{quoted(names[1])}"
    if kind in ("function", "procedure", "aggregate"):
        everything = "*" if kind == "aggregate" else ""
        return f"{public(names[0])}({names[1] or everything})"
    if kind == "extension":
        return quoted(names[0])
    return names[0] if kind in _NAMED_ONLY else public(names[0])


#: Their names come qualified and with everything that belongs to them.
_NAMED_ONLY: Final = frozenset(
    {
        "collation",
        "operator",
        "operator_class",
        "operator_family",
        "conversion",
        "text_search_configuration",
        "text_search_dictionary",
    }
)


def type_key(kind: str) -> bool:
    """Whether a kind is one of types."""
    return kind in ("enum", "domain", "composite_type", "range_type", "base_type")
