"""Which entries of an archive restore some of its tables, with everything that those need.

An archive knows what each entry needs: a table its types, a default its sequence, a trigger its
function. That is followed in both directions: forward to what has to be there before, backward to
what belongs to a table (rows, indexes, constraints, triggers, privileges ...).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import UsageError
from bounty_ops.journal.records import SequenceRecord, TableRecord
from bounty_ops.postgres.run import run_program
from bounty_ops.restore.contents import Entry, read_contents
from bounty_ops.restore.narrowing import IDENTIFIER, IDENTITY, narrowed, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bounty_ops.journal.records import Manifest
    from bounty_ops.postgres.programs import Programs
    from bounty_ops.restore.judge import Observation

Table = tuple[str, str]
_CHOSEN: Final = "chosen-entries"
#: What belongs to a table, or to something that does.
_BELONGS: Final = frozenset(
    {
        "ACL", "CHECK CONSTRAINT", "COMMENT", "CONSTRAINT", "DEFAULT", "FK CONSTRAINT", "INDEX",
        "INDEX ATTACH", "POLICY", "ROW SECURITY", "RULE", "SEQUENCE", "SEQUENCE OWNED BY",
        "SEQUENCE SET", "STATISTICS", "STATISTICS DATA", "TABLE ATTACH", "TABLE DATA", "TRIGGER",
    }
)  # fmt: skip
#: Those of them that stand only where both ends do.
_BOTH_ENDS: Final = frozenset({"FK CONSTRAINT", "TABLE ATTACH", "INDEX ATTACH"})
_ANCHORS: Final = frozenset({"TABLE", "SEQUENCE", "INDEX", "CONSTRAINT", "TRIGGER", "POLICY"})
_SHOWN: Final = 12


@dataclass(frozen=True)
class Selection:
    """Some tables of a backup, and what comes with them."""

    entries: tuple[Entry, ...]
    with_rows: frozenset[Table]
    explained: tuple[str, ...]
    """What else is restored and what is left away, in sentences."""

    def written(self, directory: Path) -> Path:
        """The entries as a file for `pg_restore --use-list`."""
        path = directory / _CHOSEN
        path.write_text("".join(f"{one.line}\n" for one in self.entries), encoding="utf-8")
        return path

    def narrowed(self, manifest: Manifest, observed: Observation) -> Manifest:
        """The manifest as it would be of the chosen tables alone.

        What was brought along only because it is needed is compared where it is there.
        """
        chosen = [one for one in manifest.tables if (one.schema_name, one.name) in self.with_rows]
        known = {(one.schema_name, one.name) for one in chosen}
        others = [
            TableRecord(
                schema_name=one.schema, name=one.name, rows=one.rows,
                fingerprint=one.fingerprint if manifest.compare == "content" else None,
            )
            for one in observed.tables
            if (one.schema, one.name) not in known
        ]  # fmt: skip
        sequences = {(one.schema, one.name) for one in observed.sequences}
        return manifest.model_copy(
            update={
                "tables": (*chosen, *others),
                "sequences": tuple(
                    SequenceRecord.model_validate(one)
                    for one in manifest.sequences
                    if (one.schema_name, one.name) in sequences
                ),
                "inventory": narrowed(manifest, observed, self.with_rows),
            }
        )


def choose(
    programs: Programs,
    archive: Path,
    names: Sequence[str],
    manifest: Manifest,
    *,
    with_references: bool,
) -> Selection:
    """Choose tables by name: `bounty`, or `schema.table` outside of `public`.

    Raises:
        UsageError: the backup has no such table.
        ProgramFailed: the archive cannot be listed.
    """
    listing = run_program(programs, "pg_restore", ["--list", "--verbose", str(archive)])
    return choose_entries(
        read_contents(listing), _tables(manifest), names, with_references=with_references
    )


def choose_entries(
    contents: dict[int, Entry],
    tables: dict[Table, str],
    names: Sequence[str],
    *,
    with_references: bool,
) -> Selection:
    """The same from the contents of an archive, and its tables with their owners. Pure."""
    by_entry = _entries_of_tables(contents, tables)
    wanted = {_number(by_entry, name) for name in names}
    rows = _with_parts(contents, by_entry, wanted, with_references=with_references)
    included, left_away = _closure(contents, rows)
    return Selection(
        entries=tuple(one for one in contents.values() if one.number in included),
        with_rows=frozenset(by_entry[number] for number in rows),
        explained=_explained(contents, by_entry, rows, included, left_away),
    )


def _tables(manifest: Manifest) -> dict[Table, str]:
    """Every table of a manifest, with its owner."""
    found = {}
    for line in manifest.inventory.get("tables", ()):
        match = IDENTITY.match(line)
        owner = re.search(rf", owner ({IDENTIFIER})", line)
        if match:
            key = (plain(match[1]), plain(match[2]))
            found[key] = plain(owner[1]) if owner else ""
    return found


def _entries_of_tables(contents: dict[int, Entry], tables: dict[Table, str]) -> dict[int, Table]:
    by_text = {
        f"{schema} {name} {owner}": (schema, name) for (schema, name), owner in tables.items()
    }
    return {
        one.number: by_text[one.text]
        for one in contents.values()
        if one.kind == "TABLE" and one.text in by_text
    }


def _number(by_entry: dict[int, Table], name: str) -> int:
    schema, _, rest = name.partition(".")
    wanted = {(schema, rest)} if rest else {("public", name)}
    found = [number for number, table in by_entry.items() if table in wanted]
    if not found:
        some = ", ".join(sorted(_label(one) for one in by_entry.values())[:_SHOWN])
        raise UsageError(
            f"the backup has no table {name}",
            hint=f"Name tables of public as they are, others as schema.table. There are: {some} "
            "... (bounty-ops backup show lists all).",
        )
    return found[0]


def _label(table: Table) -> str:
    return table[1] if table[0] == "public" else ".".join(table)


def _with_parts(
    contents: dict[int, Entry],
    by_entry: dict[int, Table],
    wanted: set[int],
    *,
    with_references: bool,
) -> set[int]:
    """The chosen tables with their partitions, and with what they refer to if that is wished."""
    rows, before = set(wanted), 0
    while len(rows) != before:
        before = len(rows)
        for one in contents.values():
            tables = one.needs & by_entry.keys()
            if one.kind == "TABLE ATTACH":
                # The partition needs its parent, not the other way round.
                parents = {n for n in tables if any(n in contents[t].needs for t in tables - {n})}
                if parents & rows:
                    rows |= tables - parents
            elif one.kind == "FK CONSTRAINT" and with_references:
                owner = _owner_of(one, tables, by_entry)
                if owner in rows:
                    rows |= tables
    return rows


def _owner_of(entry: Entry, tables: Iterable[int], by_entry: dict[int, Table]) -> int | None:
    """The table that a constraint is of: its name begins the text."""
    found = [n for n in tables if f"{entry.text} ".startswith(f"{' '.join(by_entry[n])} ")]
    return max(found, key=lambda n: len(by_entry[n][1]), default=None)


def _closure(contents: dict[int, Entry], rows: set[int]) -> tuple[set[int], set[int]]:
    """What is restored, and what is left away since its other end is not.

    All extensions are: that an index uses one's operators is not in the archive's list of needs.
    So is what was said about the public schema, which is there in every database.
    """
    always = {
        one.number
        for one in contents.values()
        if one.kind == "EXTENSION" or one.text.startswith("- SCHEMA public ")
    }
    included = _forward(contents, rows | always)
    left_away: set[int] = set()
    changed = True
    while changed:
        changed = False
        for one in contents.values():
            if one.number in included or one.kind not in _BELONGS:
                continue
            anchors = {n for n in one.needs & included if contents[n].kind in _ANCHORS}
            others = one.needs & included if one.kind in {"ACL", "COMMENT"} else set()
            if not anchors and not others:
                continue
            if one.kind == "TABLE DATA" and not one.needs & rows:
                continue
            if one.kind in _BOTH_ENDS and not (one.needs & contents.keys()) <= included:
                left_away.add(one.number)
                continue
            included |= _forward(contents, {one.number})
            left_away.discard(one.number)
            changed = True
    return included, left_away


def _forward(contents: dict[int, Entry], begin: set[int]) -> set[int]:
    found, waiting = set(begin), list(begin)
    while waiting:
        for number in contents[waiting.pop()].needs & contents.keys():
            if number not in found:
                found.add(number)
                waiting.append(number)
    return found


def _explained(
    contents: dict[int, Entry],
    by_entry: dict[int, Table],
    rows: set[int],
    included: set[int],
    left_away: set[int],
) -> tuple[str, ...]:
    told = [f"with rows: {_listed(_label(by_entry[n]) for n in rows)}"]
    bare = [_label(by_entry[n]) for n in included - rows if n in by_entry]
    if bare:
        told.append(f"definition only, since something chosen needs it: {_listed(bare)}")
    kinds = Counter(
        contents[n].kind.lower()
        for n in included
        if contents[n].kind not in _BELONGS - {"SEQUENCE"} and n not in by_entry
    )
    if kinds:
        told.append("brought along: " + ", ".join(f"{n} {k}" for k, n in sorted(kinds.items())))
    keys = [
        contents[n].text
        for n in left_away
        if contents[n].kind == "FK CONSTRAINT"
        and _owner_of(contents[n], contents[n].needs & by_entry.keys(), by_entry) in included
    ]
    if keys:
        told.append(
            f"foreign keys left away, since the table that they refer to is not chosen "
            f"(--with-references brings it): {_listed(keys)}"
        )
    return tuple(told)


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    rest = len(ordered) - _SHOWN
    return ", ".join(ordered[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
