"""What is done to the copy: the migration under traffic, then back and forth once more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bounty_ops.errors import PostgresError, ServerUnavailable
from bounty_ops.migrating.errors import UnknownRevisionError
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.rehearse.comparing import Mentions, changed_unasked, some
from bounty_ops.migrating.rehearse.copying import APPLICATION_NAME
from bounty_ops.migrating.rehearse.measuring import Measuring, sessions_by_pid
from bounty_ops.migrating.rehearse.round_trip import (
    Steps,
    go_round,
    read_state,
    told,
    without_downgrade,
)
from bounty_ops.migrating.rehearse.tables import read_tables
from bounty_ops.migrating.rehearse.traffic import Traffic
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.migrating.running.bookkeeping import Cause
from bounty_ops.migrating.running.limits import Limits
from bounty_ops.migrating.running.observer import Observer
from bounty_ops.migrating.stepping import run_revision
from bounty_ops.postgres.connect import connect
from bounty_ops.restore.findings import Inconclusive
from bounty_ops.restore.restoring import is_machines_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.environments import Policy
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.plan import MigrationPlan
    from bounty_ops.migrating.rehearse.copying import Copy
    from bounty_ops.migrating.rehearse.measuring import Measured
    from bounty_ops.migrating.rehearse.round_trip import State
    from bounty_ops.migrating.rehearse.tables import Table
    from bounty_ops.migrating.rehearse.waits import Wait
    from bounty_ops.migrating.revisions import Revision


class Failed(Exception):  # noqa: N818 - a verdict, not an error of this program
    """The migration is not fit to be applied."""


@dataclass
class Result:
    """What has been found out so far."""

    tables: tuple[Table, ...] = ()
    """As they were before the migration."""
    measured: list[Measured] = field(default_factory=list)
    waits: tuple[Wait, ...] | None = None
    """None: it did not come to any traffic."""
    round_trip: Literal["equal", "different", "impossible", "not_tried"] = "not_tried"
    round_trip_detail: str | None = None
    fingerprint_before: str | None = None
    fingerprint_after: str | None = None


@dataclass(frozen=True)
class Drill:
    """One migration of one copy."""

    copy: Copy
    plan: MigrationPlan
    policy: Policy
    lineage: Lineage
    result: Result

    def carry_out(self) -> None:
        """Apply what is pending, take it back, apply it again; fills `result` on the way.

        Raises:
            Failed: a revision failed, changed rows that it does not name, or does not lead back.
            Inconclusive: the copy is not at the revision that the plan begins with.
            PostgresError: the copy's server failed.
        """
        url = self.copy.url
        pending = self._pending()
        before = read_state(url, APPLICATION_NAME)
        self.result.fingerprint_before = before.catalog.fingerprint
        with connect(url, application_name=APPLICATION_NAME, read_only=True) as connection:
            self.result.tables = read_tables(connection)
        self._under_traffic(pending)
        first = read_state(url, APPLICATION_NAME)
        self.result.fingerprint_after = first.catalog.fingerprint
        self._go_round(pending, before, first)
        self._require_no_surprise(before, first)

    def _pending(self) -> tuple[Revision, ...]:
        """What is pending, once the copy is where the plan begins.

        The live database may have been migrated since the backup was taken: then the copy follows.
        """
        revisions = revisions_of(self.lineage)
        found = read_facts(self.copy.url, self.lineage).revision
        try:
            to_come = revisions.after(found)
            pending = revisions.after(self.plan.current)
        except UnknownRevisionError as error:
            raise Inconclusive(f"{error} ({error.hint})") from None
        if len(to_come) < len(pending):
            raise Inconclusive(
                f"the backup is at {found}, and the plan begins at "
                f"{self.plan.current or 'an empty database'}: plan again"
            )
        for revision in to_come[: len(to_come) - len(pending)]:
            try:
                self._run(revision)
            except Exception as error:  # noqa: BLE001 - whatever a revision raises is its failure
                raise Inconclusive(
                    f"the backup is at {found}, and {revision.id}, which the live database has "
                    f"had since, fails on it: {told(error, self.copy.url)}"
                ) from None
        return pending

    def _under_traffic(self, pending: Sequence[Revision]) -> None:
        """Apply the revisions as the runner does, with readers and writers at the tables."""
        mentions = Mentions(step.sql for step in self.plan.pending)
        named = [one.oid for one in self.result.tables if mentions.together(one.name)]
        with (
            sessions_by_pid() as sessions,
            Traffic(self.copy.url, self.result.tables) as traffic,
        ):
            traffic.attend(named)
            observer = Measuring(traffic, sessions)
            try:
                for revision in pending:
                    self._apply(revision, observer)
            finally:
                traffic.stop()
                self.result.measured = observer.measured
                self.result.waits = traffic.waits()

    def _apply(self, revision: Revision, observer: Measuring) -> None:
        try:
            self._run(revision, observer=observer)
        except Exception as error:  # noqa: BLE001 - whatever a revision raises is its failure
            self._blame_the_server(error)
            raise Failed(f"revision {revision.id} failed: {told(error, self.copy.url)}") from None
        found = read_facts(self.copy.url, self.lineage).revision
        if found != revision.id:
            raise Failed(f"revision {revision.id} reported success, and the copy is at {found}")

    def _run(
        self, revision: Revision, *, back: bool = False, observer: Observer | None = None
    ) -> None:
        """Run one revision; raises whatever it raises."""
        run_revision(
            self.copy.url,
            self.lineage.directory(),
            revision.id,
            limits=Limits.of(self.policy),
            cause=Cause("downgrade") if back else Cause(),
            observer=observer or Observer(),
        )

    def _blame_the_server(self, error: Exception) -> None:
        """Raise the error itself where it speaks of this machine and not of the migration.

        Raises:
            PostgresError: the server is gone, or has no room or memory left.
        """
        if not isinstance(error, PostgresError):
            return
        full = is_machines_fault([f"ERROR:  {error}"], "")
        if isinstance(error, ServerUnavailable) or full:
            raise error

    def _require_no_surprise(self, before: State, first: State) -> None:
        texts = [step.sql for step in self.plan.pending]
        texts += [one.record.sql for one in self.result.measured]
        changed = changed_unasked(before.rows, first.rows, Mentions(texts))
        if changed:
            raise Failed(f"rows changed that no revision names: {some(changed)}")

    def _go_round(self, pending: Sequence[Revision], before: State, first: State) -> None:
        without = without_downgrade(self.lineage, pending)
        if without is not None:
            self.result.round_trip = "impossible"
            self.result.round_trip_detail = f"{without} has no downgrade"
            return
        steps = Steps(down=lambda revision: self._run(revision, back=True), up=self._run)
        trip = go_round(self.copy.url, APPLICATION_NAME, pending, steps, before=before, first=first)
        self.result.round_trip = trip.verdict
        self.result.round_trip_detail = trip.detail
        if trip.verdict == "different":
            raise Failed(str(trip.detail))
