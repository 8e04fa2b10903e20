"""Taking over a database that somebody else's tool has made.

A database that is what some revision leads to is recorded to be at that revision. For any other one
a reconcile revision is written; once it is in the code, adopting again records the database to be
just before it, and it is planned, gated and applied like every other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bounty_ops.errors import MigrationError, UsageError
from bounty_ops.migrating.adopt_drizzle import DrizzleJournal, read_drizzle_journal
from bounty_ops.migrating.adopt_writing import adopts_of, write_reconciliation
from bounty_ops.migrating.adopted import is_marked, mark
from bounty_ops.migrating.drift import differences, expected_catalog, live_catalog
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.lock import APPLICATION_NAME
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.migrating.stamping import stamp
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, Environment
    from bounty_ops.journal.evidence import MigrationEvidence
    from bounty_ops.migrating.catalog import Catalog
    from bounty_ops.migrating.drift import Difference
    from bounty_ops.migrating.facts import DatabaseFacts
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.revisions import Revisions

_NO_FILLS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True)
class Adoption:
    """What came of it."""

    outcome: Literal["stamped", "reconcile"]
    target: str
    revision: str
    """What the database is recorded to be at; or the last reconcile revision that was written."""
    pending: tuple[str, ...] = ()
    """What is to be applied next, where it is recorded."""
    differences: tuple[Difference, ...] = ()
    """From what the newest revision leads to."""
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    drizzle: DrizzleJournal | None = None

    def document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "outcome": self.outcome,
            "target": self.target,
            "revision": self.revision,
            "pending": list(self.pending),
            "differences": [each.document() for each in self.differences],
            "files": [str(path) for path in self.files],
            "notes": list(self.notes),
            "drizzle": None if self.drizzle is None else self.drizzle.document(),
        }


def adopt(
    environment: Environment,
    *,
    operator: str,
    output: Path | None = None,
    fills: Mapping[str, str] = _NO_FILLS,
    record: Callable[[MigrationEvidence], None] | None = None,
    state_dir: Path | None = None,
    server: DatabaseUrl | None = None,
    lineage: Lineage = BOUNTY,
) -> Adoption:
    """Record what a database is at, or write what brings it there; nothing else is changed in it.

    Args:
        environment: its database; all that is ever written there is in our own schema.
        operator: who does it, for the record.
        output: where to write a reconcile revision; None: among the migration files.
        fills: for ``table.column`` an expression: what rows get that have no value yet.
        record: is given the evidence of a stamp.
        state_dir: where what is expected is remembered; None: the project's state directory.
        server: a server given for drills, for where none can be started.
        lineage: whose migrations.

    Raises UsageError for a database that has none of the tables, or one under migration that is
    not what its revision says; PostgresError, LockHeldError and MigrationError.
    """
    adopting = _Adopting(
        environment, operator, record, state_dir=state_dir, server=server, lineage=lineage
    )
    return adopting.run(output, fills)


class _Adopting:
    def __init__(
        self,
        environment: Environment,
        operator: str,
        record: Callable[[MigrationEvidence], None] | None,
        *,
        state_dir: Path | None,
        server: DatabaseUrl | None,
        lineage: Lineage,
    ) -> None:
        self._environment = environment
        self._url = environment.require_url()
        self._operator = operator
        self._record = record
        self._state_dir = state_dir
        self._server = server
        self._lineage = lineage
        self._revisions: Revisions = revisions_of(lineage)

    def run(self, output: Path | None, fills: Mapping[str, str]) -> Adoption:
        facts = read_facts(self._url, self._lineage)
        if facts.revision is None and not facts.existing_tables:
            raise UsageError(
                f"{self._url.address()} has none of Bounty's tables: there is nothing to adopt",
                hint="`bounty-ops db migrate` makes them.",
            )
        found = live_catalog(self._url)
        if facts.revision is not None:
            return self._already(facts, facts.revision, found)
        for revision in reversed(self._revisions.order):
            if not differences(self._expected(found, revision.id), found):
                return self._stamped(found, revision.id)
        for revision in reversed(self._revisions.order):
            if revision.previous is not None and self._is_for(revision.id, found):
                self._mark(revision.id, found)
                return self._stamped(found, revision.previous)
        return self._reconcile(found, output, fills)

    def _is_for(self, revision: str, found: Catalog) -> bool:
        """Whether a revision file was written to reconcile a schema like this one."""
        files = self._versions().glob(f"{revision}*.py")
        return any(adopts_of(path) == found.fingerprint for path in files)

    def _versions(self) -> Path:
        return self._lineage.directory() / "versions"

    def _expected(self, found: Catalog, revision: str | None = None) -> Catalog:
        return expected_catalog(
            found.major,
            "migrations",
            revision,
            state_dir=self._state_dir,
            server=self._server,
            lineage=self._lineage,
        )

    def _already(self, facts: DatabaseFacts, revision: str, found: Catalog) -> Adoption:
        """A database that has a revision: adopting twice changes nothing."""
        pending = tuple(each.id for each in self._revisions.after(revision))
        left = differences(self._expected(found, revision), found)
        if left and not self._awaits_reconciliation(pending):
            raise UsageError(
                f"{facts.address} is under migration already, at {revision}, and is not what that "
                f"revision says: {left[0].sentence()}"
                + (f" and {len(left) - 1} more differences" if len(left) > 1 else ""),
                hint="`bounty-ops db drift --sql` shows them with the SQL that settles each.",
            )
        return self._adoption(found, revision)

    def _awaits_reconciliation(self, pending: tuple[str, ...]) -> bool:
        with connect(self._url, application_name=APPLICATION_NAME, read_only=True) as connection:
            return any(is_marked(connection, revision) for revision in pending)

    def _mark(self, revision: str, found: Catalog) -> None:
        with connect(self._url, application_name=APPLICATION_NAME, autocommit=False) as connection:
            mark(connection, revision, found.fingerprint)

    def _stamped(self, found: Catalog, revision: str) -> Adoption:
        def unchanged() -> None:
            if live_catalog(self._url).fingerprint != found.fingerprint:
                raise MigrationError(
                    f"the schema of {self._url.address()} has changed while it was compared",
                    hint="Nothing was recorded. Adopt again once nobody else changes it.",
                )

        stamp(
            self._environment,
            revision,
            operator=self._operator,
            record=self._record,
            check=unchanged,
            lineage=self._lineage,
        )
        return self._adoption(found, revision)

    def _adoption(self, found: Catalog, revision: str) -> Adoption:
        return Adoption(
            outcome="stamped",
            target=self._url.address(),
            revision=revision,
            pending=tuple(each.id for each in self._revisions.after(revision)),
            differences=differences(self._expected(found), found),
            drizzle=read_drizzle_journal(self._url),
        )

    def _reconcile(self, found: Catalog, output: Path | None, fills: Mapping[str, str]) -> Adoption:
        expected = self._expected(found)
        written = write_reconciliation(
            self._lineage,
            self._revisions,
            expected,
            found,
            output or self._versions(),
            fills=fills,
            server=self._server,
        )
        return Adoption(
            outcome="reconcile",
            target=self._url.address(),
            revision=written.revisions[-1],
            differences=differences(expected, found),
            files=written.files,
            notes=written.notes,
            drizzle=read_drizzle_journal(self._url),
        )
