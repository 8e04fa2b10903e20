"""A revision, or several, from the difference between the models and the migrations."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import MigrationError, UsageError
from bounty_ops.migrating.drift import differences, expected_catalog
from bounty_ops.migrating.generate.laboratory import (
    Laboratory,
    catalog_of,
    execute,
    laboratory,
    take_back,
)
from bounty_ops.migrating.generate.planning import plan_way
from bounty_ops.migrating.generate.renames import Rename, likely, renaming
from bounty_ops.migrating.generate.trial import essence, forward, ways_back
from bounty_ops.migrating.generate.writing import Draft, groups_of, slug_of, what_happens
from bounty_ops.migrating.revisions import read_revisions
from bounty_ops.migrating.stepping import run_revision
from bounty_ops.postgres.programs import find_programs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.catalog import Catalog
    from bounty_ops.migrating.drift import Difference
    from bounty_ops.migrating.drift.expected import Source
    from bounty_ops.migrating.generate.step import Rewritten, Step
    from bounty_ops.migrating.lineage import Lineage

_NO_FILLS: Final[Mapping[str, str]] = {}
#: Where a wheel has the migrations.
_INSTALLED: Final = "_migrations"
_SOURCES: Final[tuple[Source, ...]] = ("models", "migrations")


@dataclass(frozen=True)
class Generated:
    """What was found, and what was or would be written."""

    drafts: tuple[Draft, ...]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()
    """What a person should know before committing the files."""
    paths: tuple[Path, ...] = ()


def generate(
    lineage: Lineage,
    message: str,
    *,
    renames: Sequence[str] = (),
    directory: Path | None = None,
    fills: Mapping[str, str] = _NO_FILLS,
    server: DatabaseUrl | None = None,
) -> tuple[Path, ...]:
    """Write the revisions that bring the migrations' head to the models; () when it is there.

    Before they are written they are run forward, back and forward again on a throw-away server.

    Args:
        lineage: which line of migrations.
        message: what changes, in a few words.
        renames: ``table.old:new``, ``old_table:new_table`` and ``enum.old_label:new_label``.
        directory: the folder with ``versions``; where the line has it by default.
        fills: for ``table.column`` an expression: the value of the rows that are there.
        server: a server whose databases nobody misses; by default one is started.

    Raises:
        UsageError: a rename of something that is not there.
        MigrationError: rows need a value that nobody has named, or the trial failed.
    """
    made = draft_revisions(
        lineage, message, renames=renames, directory=directory, fills=fills, server=server
    )
    return write_revisions(made, directory or lineage.directory())


def write_revisions(made: Generated, directory: Path) -> tuple[Path, ...]:
    """Write what was drafted.

    Raises UsageError where the files would be lost with the next installation.
    """
    if made.drafts and directory.parent.name == _INSTALLED:
        raise UsageError(
            "revisions are written into a checkout of the project, and this is an installation",
            hint="Run the command from a checkout: pip install -e .",
        )
    versions = directory / "versions"
    return tuple(path for draft in made.drafts for path in draft.write(versions))


def draft_revisions(
    lineage: Lineage,
    message: str,
    *,
    renames: Sequence[str] = (),
    directory: Path | None = None,
    fills: Mapping[str, str] = _NO_FILLS,
    server: DatabaseUrl | None = None,
) -> Generated:
    """The same without writing anything; raises as `generate` does."""
    source = directory or lineage.directory()
    said = [Rename.parse(each) for each in renames]
    with laboratory(server) as lab:
        expected = catalog_of(lab.modelled(lineage.metadata))
        head = lab.migrated(source)
        there = catalog_of(head)
        told = differences(expected, there)
        if not told:
            _refuse_needless(said)
            return Generated((), ())
        first, found = _renamed(lab, head, said, there)
        way = plan_way(expected, found, before=first, fills=fills)
        _require_fills(way.needs_fill, fills, way.steps)
        groups = groups_of(way.steps)
        seen = forward(head, groups)
        _require_equal(expected, seen[-1])
        downs = ways_back(head, groups, seen)  # which leads back to where it began
        drafts = _drafts(lineage, source, message, groups, downs)
        _run_files(head, source, drafts, (there, expected))
    notes = (*likely(expected, found, said), *way.notes)
    return Generated(drafts, told, tuple(dict.fromkeys(notes)))


def _renamed(
    lab: Laboratory, head: DatabaseUrl, said: Sequence[Rename], there: Catalog
) -> tuple[list[Rewritten], Catalog]:
    """The renames as changes, and the schema after them."""
    if not said:
        return [], there
    url, found, changes = lab.database(head), there, []
    for rename in said:
        changes.append(renaming(rename, found))
        execute(url, [step.sql for step in changes[-1].steps])
        found = catalog_of(url)
    return changes, found


def pending_differences(
    lineage: Lineage, *, state_dir: Path | None = None
) -> tuple[Difference, ...]:
    """In what the models are ahead of the migrations; both schemas are remembered on disk."""
    major = find_programs(server=True).major
    expected, found = (
        expected_catalog(major, source, state_dir=state_dir, lineage=lineage) for source in _SOURCES
    )
    return differences(expected, found)


def _refuse_needless(said: Sequence[Rename]) -> None:
    if said:
        raise UsageError(
            f"--rename {said[0]}: nothing is pending, so nothing was renamed",
            hint="Change the models first; --rename says which of their changes is a rename.",
        )


def _require_fills(needed: Sequence[str], fills: Mapping[str, str], steps: Sequence[Step]) -> None:
    if needed:
        raise MigrationError(
            f"{', '.join(needed)}: required and without a default, so the rows that are there have "
            "no value for it; nothing was written",
            hint=f"Name one: --fill {needed[0]}=EXPRESSION (any SQL, such as '' or another "
            "column), or give the column a default.",
        )
    used = {f"{step.table}.{name}" for step in steps for name in fills_of(step)}
    unused = sorted(fills.keys() - used)
    if unused:
        raise UsageError(
            f"--fill {unused[0]}: no revision gives rows a value there",
            hint="It takes table.column=EXPRESSION for a column that becomes required or is new.",
        )


def fills_of(step: Step) -> list[str]:
    """The columns that a step gives values to."""
    if step.backfill is None and not step.sql.startswith("UPDATE"):
        return []
    text = step.backfill.assignments if step.backfill else step.sql.partition(" SET ")[2]
    return [text.partition(" = ")[0].strip('"')]


def _require_equal(expected: Catalog, found: Catalog) -> None:
    left = differences(expected, found)
    if left:
        raise MigrationError(
            f"what was generated does not lead to the models: {left[0].sentence()}"
            + (f" and {len(left) - 1} more" if len(left) > 1 else ""),
            hint="Nothing was written. Report it, and write this revision by hand.",
        )


def _drafts(
    lineage: Lineage,
    source: Path,
    message: str,
    groups: Sequence[tuple[Step, ...]],
    downs: Sequence[tuple[str, ...]],
) -> tuple[Draft, ...]:
    order = read_revisions(source).order
    previous = order[-1].id
    number = int(previous.rpartition("_")[2])
    drafts = []
    for place, (steps, down) in enumerate(zip(groups, downs, strict=True), start=1):
        title, slug = message.strip(), slug_of(message)
        if len(groups) > 1:
            what = what_happens(steps)
            title = f"{title} ({place} of {len(groups)}: {what})"
            slug = f"{slug}_{place}_{slug_of(what)}"
        revision = f"{lineage.name}_{number + place:04d}"
        drafts.append(Draft(revision, previous, slug, title, steps, down))
        previous = revision
    return tuple(drafts)


def _run_files(
    url: DatabaseUrl,
    source: Path,
    drafts: Sequence[Draft],
    ends: tuple[Catalog, Catalog],
) -> None:
    """Run the files themselves as the runner will: up, down, up."""
    start, end = ends
    with tempfile.TemporaryDirectory(prefix="bounty-ops-generate-") as folder:
        line = Path(folder) / source.name
        shutil.copytree(source, line, ignore=shutil.ignore_patterns("__pycache__"))
        for draft in drafts:
            draft.write(line / "versions")
        for draft in drafts:
            run_revision(url, line, draft.revision)
        _require_equal(end, catalog_of(url))
        for draft in reversed(drafts):
            take_back(url, line, draft.revision)
        if essence(catalog_of(url)) != essence(start):
            left = differences(start, catalog_of(url))
            raise MigrationError(
                f"the way back does not lead to where it began: {left[0].sentence()}",
                hint="Nothing was written. Report it, and write this revision by hand.",
            )
        for draft in drafts:
            run_revision(url, line, draft.revision)
        _require_equal(end, catalog_of(url))
