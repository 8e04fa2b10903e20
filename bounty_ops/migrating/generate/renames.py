"""What was renamed: said by the operator, never guessed."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import UsageError
from bounty_ops.migrating.generate.known import Known
from bounty_ops.migrating.generate.statements import literal, quoted
from bounty_ops.migrating.generate.step import Rewritten, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bounty_ops.migrating.catalog import Catalog

_RENAME: Final = re.compile(r"(?:(?P<owner>[^.:]+)\.)?(?P<old>[^:]+):(?P<new>[^:]+)")


@dataclass(frozen=True)
class Rename:
    """``table.old:new``, ``enum.old:new`` or ``old:new`` for a table or a type."""

    owner: str | None
    old: str
    new: str

    @classmethod
    def parse(cls, wish: str) -> Rename:
        """Read what stands behind ``--rename``; raises UsageError."""
        match = _RENAME.fullmatch(wish.strip())
        if match is None:
            raise UsageError(
                f"--rename {wish!r} names no old and new name",
                hint="Write table.old_column:new_column, old_table:new_table or "
                "enum.old_label:new_label.",
            )
        return cls(match["owner"], match["old"], match["new"])

    def __str__(self) -> str:
        """As it is written."""
        return f"{f'{self.owner}.' if self.owner else ''}{self.old}:{self.new}"


def renaming(rename: Rename, catalog: Catalog) -> Rewritten:
    """The statement of a rename; raises UsageError when there is no such thing."""
    old, new = rename.old, rename.new
    if rename.owner is None:
        if catalog.get("table", old) is not None:
            return _step("TABLE", old, f"RENAME TO {quoted(new)}", new, f"RENAME TO {quoted(old)}")
        if catalog.get("enum", old) is not None:
            return _step("TYPE", old, f"RENAME TO {quoted(new)}", new, f"RENAME TO {quoted(old)}")
    elif catalog.get("column", rename.owner, old) is not None:
        there, back = quoted(old), quoted(new)
        return _step(
            "TABLE",
            rename.owner,
            f"RENAME COLUMN {there} TO {back}",
            rename.owner,
            f"RENAME COLUMN {back} TO {there}",
        )
    elif old in (Known(catalog).enum_labels(rename.owner) or ()):
        there, back = literal(old), literal(new)
        return _step(
            "TYPE",
            rename.owner,
            f"RENAME VALUE {there} TO {back}",
            rename.owner,
            f"RENAME VALUE {back} TO {there}",
        )
    raise UsageError(
        f"--rename {rename}: the migrations' head has nothing of the name "
        f"{f'{rename.owner}.' if rename.owner else ''}{old}",
        hint="The old name is the one in the database, the new one that in the models.",
    )


def _step(word: str, name: str, change: str, after: str, back: str) -> Rewritten:
    return Rewritten(
        (
            Step(
                sql=f"ALTER {word} public.{quoted(name)} {change}",
                why="programs that use the old name fail from then on",
                lock="ACCESS EXCLUSIVE" if word == "TABLE" else None,
                table=name if word == "TABLE" else None,
                risk="clients",
                down=(f"ALTER {word} public.{quoted(after)} {back}",),
                touches=frozenset({name, after}),
            ),
        )
    )


def likely(expected: Catalog, found: Catalog, said: Sequence[Rename]) -> list[str]:
    """Sentences about what looks like a rename and was not called one."""
    del said  # they are done in `found` already
    return [*_columns(expected, found), *_tables(expected, found)]


def _columns(expected: Catalog, found: Catalog) -> Iterator[str]:
    gone: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in found.of("column"):
        if item.key not in expected.items and ("table", item.key[1]) in expected.items:
            gone[item.key[1], item.facts["type"]].append(item.key[2])
    come: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in expected.of("column"):
        if item.key not in found.items and ("table", item.key[1]) in found.items:
            come[item.key[1], item.facts["type"]].append(item.key[2])
    for place in sorted(gone.keys() & come.keys()):
        if len(gone[place]) == 1 and len(come[place]) == 1:
            table, kind = place
            old, new = gone[place][0], come[place][0]
            yield (
                f"{table}.{old} goes and {table}.{new} comes, both {kind}: its values are lost. If "
                f"it only has another name, say --rename {table}.{old}:{new}"
            )


def _tables(expected: Catalog, found: Catalog) -> Iterator[str]:
    gone = [item.key[1] for item in found.of("table") if item.key not in expected.items]
    come = [item.key[1] for item in expected.of("table") if item.key not in found.items]
    for old in gone:
        same = [new for new in come if _shape(expected, new) == _shape(found, old)]
        if len(same) == 1:
            yield (
                f"table {old} goes and {same[0]} comes with the same columns: its rows are lost. "
                f"If it only has another name, say --rename {old}:{same[0]}"
            )


def _shape(catalog: Catalog, table: str) -> set[tuple[str, str]]:
    return {(item.key[2], item.facts["type"]) for item in catalog.parts("column", table)}
