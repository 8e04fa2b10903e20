"""Whether rows changed that no statement speaks of, and whether a round trip kept them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bounty_ops.migrating.rehearse.rows import TableRows

    Rows = Mapping[int, TableRows]

_NAMED_AT_MOST = 5


class Mentions:
    """Which words the SQL of each revision holds."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = [frozenset(re.findall(r"\w+", text.lower())) for text in texts]

    def together(self, *names: str) -> bool:
        """Whether one text has all of these names."""
        wanted = [frozenset(re.findall(r"\w+", name.lower())) for name in names]
        return any(all(each <= words for each in wanted) for words in self._texts)


@dataclass(frozen=True)
class Comparison:
    """What was unlike, and what could not be compared."""

    differences: tuple[str, ...]
    left_out: tuple[str, ...]


def changed_unasked(before: Rows, after: Rows, mentions: Mentions) -> tuple[str, ...]:
    """Columns and tables whose rows a migration changed although nothing in it names them.

    A trigger that an UPDATE fires, a cascade, a cast that nobody thought of. A column is named
    where one revision has its table's name and its own, or that of its type.
    """
    found: list[str] = []
    for oid, old in before.items():
        new = after.get(oid)
        if new is None:
            continue
        named = mentions.together(old.name) or mentions.together(new.name)
        if old.rows != new.rows:
            if not named:
                found.append(f"{old.label} ({old.rows} rows before, {new.rows} after)")
            continue  # the sums of all columns are others then
        both = {column.name for column in old.sums.keys() & new.sums}
        unlike = _unlike(old, new, both)
        unnamed = [name for name in unlike if not _named(mentions, old, new, name)]
        if not set(unlike) <= set(old.key) or len(unnamed) == len(unlike):
            found += [f"{old.label}.{name}" for name in unnamed]
    return tuple(sorted(found))


def _named(mentions: Mentions, old: TableRows, new: TableRows, column: str) -> bool:
    types = {one.types.get(column, "") for one in (old, new)} - {""}
    return (
        mentions.together(old.name, column)
        or mentions.together(new.name, column)
        or any(mentions.together(each) for each in types)
    )


def after_round_trip(before: Rows, first: Rows, second: Rows) -> Comparison:
    """Compare the rows after the first upgrade with those after downgrade and second upgrade.

    Args:
        before: the rows before the migration: what it added or dropped is left out.
        first: after the first upgrade.
        second: after the second one.
    """
    by_label = {table.label: table for table in second.values()}
    differences: list[str] = []
    left_out = [f"table {table.label}" for oid, table in before.items() if oid not in first]
    for oid, table in first.items():
        old = before.get(oid)
        if old is None:
            left_out.append(f"table {table.label}")
            continue
        left_out += [f"{table.label}.{name}" for name in _not_in_both(old, table)]
        again = second.get(oid) or by_label.get(table.label)
        if again is None:
            differences.append(f"{table.label} is gone")
        elif again.rows != table.rows:
            differences.append(f"{table.label} ({table.rows} rows before, {again.rows} after)")
        else:
            kept = {column.name for column in old.sums.keys() & table.sums}
            differences += [f"{table.label}.{name}" for name in _unlike(table, again, kept)]
    return Comparison(tuple(differences), tuple(left_out))


def _not_in_both(old: TableRows, new: TableRows) -> list[str]:
    return sorted({column.name for column in old.sums.keys() ^ new.sums.keys()})


def _unlike(one: TableRows, other: TableRows, columns: set[str]) -> list[str]:
    """The columns that hold something else; those of the key alone if that is among them."""
    if one.key != other.key or not columns.issuperset(one.key):
        return []  # the sums rest on the key, which the migration made
    sums = {column.name: total for column, total in other.sums.items()}
    unlike = [
        column.name
        for column, total in one.sums.items()
        if column.name in columns and sums.get(column.name) != total
    ]
    return [name for name in unlike if name in one.key] or unlike


def some(names: Sequence[str]) -> str:
    """A few of them, and how many more there are."""
    named = ", ".join(names[:_NAMED_AT_MOST])
    more = len(names) - _NAMED_AT_MOST
    return f"{named} and {more} more" if more > 0 else named
