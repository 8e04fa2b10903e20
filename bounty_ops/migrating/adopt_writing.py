"""The reconcile revision: from what a database is to where the migrations lead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import MigrationError, PostgresError, UsageError
from bounty_ops.migrating.drift import differences
from bounty_ops.migrating.generate.laboratory import catalog_of, execute, laboratory
from bounty_ops.migrating.generate.planning import plan_way
from bounty_ops.migrating.generate.trial import forward, ways_back
from bounty_ops.migrating.generate.writing import Draft, groups_of, what_happens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.catalog import Catalog
    from bounty_ops.migrating.generate.step import Step
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.revisions import Revisions

_SLUG: Final = "reconcile"
_HOLDING_DATA: Final = frozenset({"table", "column", "materialized_view", "sequence"})
_MARK: Final = re.compile(r'^adopts = "([0-9a-f]{64})"$', re.MULTILINE)


@dataclass(frozen=True)
class Reconciliation:
    """What was written."""

    revisions: tuple[str, ...]
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def write_reconciliation(
    lineage: Lineage,
    revisions: Revisions,
    expected: Catalog,
    found: Catalog,
    output: Path,
    *,
    fills: Mapping[str, str],
    server: DatabaseUrl | None = None,
) -> Reconciliation:
    """Write the revisions that make `found` into `expected`, after the newest revision there is.

    They are tried out before, forward and back, on a copy of the schema in a throw-away server.

    Raises MigrationError when they do not lead there, and UsageError when the files exist.
    """
    way = plan_way(expected, found, fills=fills)
    groups = groups_of(way.steps)
    downs, problems = _ways_back(lineage, expected, found, groups, server)
    drafts = _drafts(lineage, revisions, groups, downs)
    notes = [*problems, *way.notes]
    notes += [
        f"{column} is required and the rows that are there have no value for it; name one with "
        f"--fill {column}=EXPRESSION, or the revision works on an empty table only"
        for column in way.needs_fill
    ]
    notes += [
        f"{each.kind.replace('_', ' ')} {each.object} and what is stored in it is dropped; if it "
        "is wanted, declare it in the models instead"
        for each in differences(expected, found)
        if each.expected is None and each.kind in _HOLDING_DATA
    ]
    first = drafts[0].revision
    files: list[Path] = []
    output.mkdir(parents=True, exist_ok=True)
    for draft in drafts:
        adopts = found.fingerprint if draft.revision == first else None
        for name, content in draft.files().items():
            text = _guarded(content, first, adopts) if name.endswith(".py") else content
            files.append(_write(output / name, text))
    return Reconciliation(tuple(draft.revision for draft in drafts), tuple(files), tuple(notes))


def _ways_back(
    lineage: Lineage,
    expected: Catalog,
    found: Catalog,
    groups: Sequence[tuple[Step, ...]],
    server: DatabaseUrl | None,
) -> tuple[list[tuple[str, ...]], list[str]]:
    """Try the revisions out on a copy of the live schema, and find what takes each back."""
    with laboratory(server) as lab:
        copy = lab.migrated(lineage.directory())
        try:
            _become(copy, found)
        except PostgresError as error:
            note = (
                "not tried out, and without a way back: the schema could not be copied to a "
                f"throw-away server ({error})"
            )
            return [()] * len(groups), [note]
        try:
            seen = forward(copy, groups)
        except PostgresError as error:
            raise MigrationError(
                f"the reconcile revision does not run: {error}",
                hint="Nothing was written. `bounty-ops db drift --sql` prints what differs; write "
                "the revision by hand from that.",
            ) from error
        left = differences(expected, seen[-1])
        if left:
            raise MigrationError(
                f"the reconcile revision would not lead to the migrations: {left[0].sentence()}",
                hint="Nothing was written. Settle this one by hand, then adopt again.",
            )
        return ways_back(copy, groups, seen), []


def _become(copy: DatabaseUrl, found: Catalog) -> None:
    told = differences(found, catalog_of(copy))
    execute(copy, [statement for each in told for statement in each.sql], autocommit=True)


def _drafts(
    lineage: Lineage,
    revisions: Revisions,
    groups: Sequence[tuple[Step, ...]],
    downs: Sequence[tuple[str, ...]],
) -> list[Draft]:
    previous = revisions.head
    number = int(previous.rpartition("_")[2])
    drafts = []
    for place, (steps, down) in enumerate(zip(groups, downs, strict=True), start=1):
        title, slug = "Reconcile a database that grew without migrations", _SLUG
        if len(groups) > 1:
            what = what_happens(steps)
            title = f"{title} ({place} of {len(groups)}: {what})"
            slug = f"{_SLUG}_{place}_{re.sub(r'[^a-z0-9]+', '_', what.lower()).strip('_')}"
        revision = f"{lineage.name}_{number + place:04d}"
        drafts.append(Draft(revision, previous, slug, title, steps, down))
        previous = revision
    return drafts


def _guarded(content: str, first: str, adopts: str | None) -> str:
    """Let a revision file do nothing in databases that it was not written for."""
    guard = f'    if not adopted("{first}"):\n        return\n'
    for name in ("upgrade", "downgrade"):
        head = f"def {name}() -> None:\n"
        content = content.replace(head, head + guard)
    content = content.replace(
        "from bounty_ops.migrating.",
        "from bounty_ops.migrating.adopted import adopted\nfrom bounty_ops.migrating.",
        1,
    )
    if adopts is not None:
        # The schema that it was written for.
        content = content.replace(
            "depends_on = None\n", f'depends_on = None\n\nadopts = "{adopts}"\n', 1
        )
    return content


def adopts_of(path: Path) -> str | None:
    """The fingerprint of the schema that a revision file was written for, if it reconciles."""
    found = _MARK.search(path.read_text(encoding="utf-8"))
    return None if found is None else found[1]


def _write(path: Path, text: str) -> Path:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{path.name} exists already",
            hint="If it was never applied anywhere, remove it and adopt again; else name another "
            "directory with --output.",
        ) from None
    return path
