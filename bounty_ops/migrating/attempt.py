"""One try at moving a database, and the evidence of what came of it, whatever that was."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from bounty_ops.errors import BountyOpsError, MigrationError, PostgresError
from bounty_ops.journal.evidence import MigrationEvidence, RevisionFile, StatementRecord
from bounty_ops.journal.ids import new_id
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.live import schema_fingerprint
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.migrating.running.bookkeeping import Cause
from bounty_ops.migrating.running.limits import Limits
from bounty_ops.migrating.running.tally import Tally
from bounty_ops.migrating.stepping import run_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import Environment
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.lock import MigrationLock
    from bounty_ops.migrating.permit import Permit
    from bounty_ops.migrating.running.observer import Observer

Outcome = Literal["applied", "nothing_to_do", "failed"]
Direction = Literal["upgrade", "downgrade", "stamp"]


@dataclass
class Attempt:
    """What was asked for, and what has come of it so far."""

    environment: Environment
    lineage: Lineage
    operator: str
    permit: Permit
    digest: str
    target: str
    observer: Observer
    direction: Direction = "upgrade"
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    found: str | None = None
    """The revision that the database had at first."""
    reached: list[str] = field(default_factory=list)
    """The revisions that were applied or taken back."""
    statements: list[StatementRecord] = field(default_factory=list)
    tries: int = 0
    gave_way: int = 0
    queue_seconds: float = 0.0
    fingerprint_before: str | None = None
    detail: dict[str, str | int | float | None] = field(default_factory=dict)
    _at: str | None = None
    _evidence: MigrationEvidence | None = None

    def __post_init__(self) -> None:
        self.id = new_id(self.started_at)

    @property
    def evidence(self) -> MigrationEvidence:
        """What happened, once it is over."""
        if self._evidence is None:
            raise RuntimeError("the attempt is not over")
        return self._evidence

    @property
    def cause(self) -> Cause:
        """What the database itself is told."""
        return Cause(self.direction, self.digest, self.id)

    def look_at_schema(self) -> None:
        """Take the fingerprint of the schema as it is before anything is done."""
        self.fingerprint_before = self._fingerprint()

    def run(self, lock: MigrationLock, revision: str) -> None:
        """Run one revision and make sure that it has lasted."""
        lock.require()
        tally = Tally()
        try:
            with self._explained(revision, tally):
                run_revision(
                    self.environment.require_url(),
                    self.lineage.directory(),
                    revision,
                    limits=Limits.of(self.environment.policy),
                    cause=self.cause,
                    lock=lock,
                    observer=self.observer,
                    tally=tally,
                )
        except BaseException:
            self._count(tally)
            self._say_where(revision, tally)
            raise
        self._count(tally)
        self._verify(revision)
        self.reached.append(revision)
        self.statements.extend(tally.records)

    def stamped(self, revisions: tuple[str, ...]) -> None:
        """Note that revisions were recorded without being run."""
        self._at = revisions[-1]
        self.reached.extend(revisions)

    def finished(self) -> None:
        """Make the evidence of an attempt that reached its end."""
        self._conclude("applied" if self.reached else "nothing_to_do")

    def failed(self, error: BaseException) -> None:
        """Make the evidence of an attempt that did not, from what the database says now."""
        # Only our own messages are known to hold no secret.
        self.detail["error"] = str(error) if isinstance(error, BountyOpsError) else _name(error)
        try:
            self._at = read_facts(self.environment.require_url(), self.lineage).revision
        except BountyOpsError as unknown:
            self.detail["uncertain"] = f"what the database has now could not be read: {unknown}"
        else:
            last = self.detail.get("failed_revision")
            # The connection broke after the server had committed and before it could say so.
            if isinstance(last, str) and self._at == self._expected(last):
                self.reached.append(last)
                self.detail["lasted"] = f"{last} was committed, although its runner was not told"
        self._conclude("failed")

    def _expected(self, revision: str) -> str | None:
        """Return where a revision leads."""
        if self.direction != "downgrade":
            return revision
        order = revisions_of(self.lineage).order
        return next((each.previous for each in order if each.id == revision), None)

    def _verify(self, revision: str) -> None:
        """Look with another connection: success may have been reported for a lost transaction."""
        found = read_facts(self.environment.require_url(), self.lineage).revision
        expected = self._expected(revision)
        if found != expected:
            did = "taken back" if self.direction == "downgrade" else "applied"
            raise MigrationError(
                f"{self.target} is at {found or 'no revision'} although {revision} was "
                f"reported as {did}",
                hint="Nothing further was done. Look for a proxy or pooler between here and the "
                "server that does not keep transactions together.",
            )
        self._at = found

    def _count(self, tally: Tally) -> None:
        self.tries += tally.attempt
        self.gave_way += tally.gave_way
        self.queue_seconds = max(self.queue_seconds, tally.queue_seconds)

    def _say_where(self, revision: str, tally: Tally) -> None:
        self.detail["failed_revision"] = revision
        if tally.last is not None:
            self.detail["failed_statement"] = tally.last[0].number
            self.detail["failed_sql"] = tally.last[0].sql

    @contextmanager
    def _explained(self, revision: str, tally: Tally) -> Iterator[None]:
        """Say which revision failed, unless the error is about the server and not about it."""
        try:
            yield
        except PostgresError as error:
            if type(error) is not PostgresError:
                raise
            apart = tally.last is not None and tally.last[0].autocommit
            left = "what it did outside of a transaction stays" if apart else "left nothing behind"
            raise MigrationError(
                f"revision {revision} failed and {left}: {error}",
                hint=f"{error.hint} Then plan again.",
            ) from error

    def _fingerprint(self) -> str | None:
        if self.lineage.schema != BOUNTY.schema:
            return None
        try:
            return schema_fingerprint(self.environment.require_url())
        except PostgresError as error:
            self.detail["fingerprint"] = f"could not be read: {error}"
            return None

    def _conclude(self, outcome: Outcome) -> None:
        changed = bool(self.reached) or outcome == "failed"
        asked = changed and "uncertain" not in self.detail
        at = self._at if self.reached or outcome == "failed" else self.found
        files = {each.id: each.sha256 for each in revisions_of(self.lineage).order}
        self._evidence = MigrationEvidence(
            id=self.id,
            environment=self.environment.name,
            from_revision=self.found,
            to_revision=at,
            digest=self.digest,
            operator=self.operator,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            outcome=outcome,
            direction=self.direction,
            revisions=tuple(self.reached),
            files=tuple(
                RevisionFile(revision=each, sha256=files[each])
                for each in self.reached
                if each in files
            ),
            statements=tuple(self.statements),
            fingerprint_before=self.fingerprint_before,
            fingerprint_after=self._fingerprint() if asked else self.fingerprint_before,
            detail=self._counted(),
            **vars(self.permit),
        )

    def _counted(self) -> dict[str, str | int | float | None]:
        counted: dict[str, str | int | float | None] = {
            "target": self.target,
            "attempts": self.tries,
        }
        if self.gave_way:
            counted["gave_way"] = self.gave_way
        if self.queue_seconds:
            counted["queue_seconds"] = round(self.queue_seconds, 3)
        return counted | self.detail


@contextmanager
def recorded(
    attempt: Attempt, record: Callable[[MigrationEvidence], None] | None
) -> Iterator[None]:
    """Make the evidence at the end of the block and hand it over; that of a failure too."""
    try:
        yield
    except BaseException as error:
        if record is not None:
            _record_failure(record, attempt, error)
        raise
    attempt.finished()
    if record is not None:
        record(attempt.evidence)


def _record_failure(
    record: Callable[[MigrationEvidence], None], attempt: Attempt, error: BaseException
) -> None:
    """Record without hiding why the migration failed."""
    try:
        attempt.failed(error)
        record(attempt.evidence)
    except BountyOpsError as second:
        error.add_note(f"The failure could not be recorded either: {second}")


def _name(error: BaseException) -> str:
    return type(error).__name__
