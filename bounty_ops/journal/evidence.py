"""What stays of a migration: its record, its rehearsal, and the word of those who approved it.

Times are UTC, sizes are bytes, durations are seconds. Fields that are younger than the first
records have a default, and readers ignore what they do not know.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from bounty_ops.journal.record import (
    Count,
    EnvironmentName,
    Record,
    RecordId,
    Seconds,
    Sha256,
    UtcTime,
    Value,
)

#: SQL is cut to this many characters, so that a long backfill does not bury the record.
LONGEST_SQL: int = 2_000
Reason = Annotated[str, Field(min_length=1)]


class LockTaken(Value):
    """A lock on a relation that a statement took and the transaction did not hold before."""

    relation: str
    """Schema-qualified, quoted where needed."""
    mode: str
    """PostgreSQL's own name, such as ``AccessExclusiveLock``."""


class StatementRecord(Value):
    """One statement of a revision as it was carried out."""

    revision: str
    number: Count
    """Counted from 1 within the revision."""
    sql: str
    """Without the values of literals, at most `LONGEST_SQL` characters."""
    seconds: Seconds
    """From sending it to its answer, waiting for locks included; of the attempt that succeeded."""
    waited_seconds: Seconds = 0
    """How long it was seen waiting for locks, over all attempts."""
    attempts: Count = 1
    times: Count = 1
    """How often it was sent: the pages of a backfill are one record, with the sums of all."""
    locks: tuple[LockTaken, ...] = ()
    """The strongest one on each relation."""
    rows: int | None = None


class RevisionFile(Value):
    """A migration file as it was when it was applied or rehearsed."""

    revision: str
    sha256: Sha256


class Acknowledgement(Value):
    """A finding of the linter that somebody has read and accepts."""

    rule: str
    reason: Reason


class Override(Value):
    """That gates were passed in an emergency although they refused."""

    reason: Reason
    gates: tuple[str, ...]


class MigrationEvidence(Record):
    """What happened when a migration was applied."""

    kind: ClassVar[str] = "migration record"

    format_version: Literal[1] = 1
    id: RecordId
    environment: EnvironmentName
    from_revision: str | None
    """None: the database had no revision."""
    to_revision: str | None
    digest: str
    """Of the plan that was carried out."""
    operator: str
    started_at: UtcTime
    finished_at: UtcTime
    outcome: Literal["applied", "nothing_to_do", "failed"]
    revisions: tuple[str, ...] = ()
    """The revisions that were applied, in their order."""
    detail: dict[str, str | int | float | None] = Field(default_factory=dict)
    reason: str = ""
    """Why, in the operator's words."""
    direction: Literal["upgrade", "downgrade", "stamp"] = "upgrade"
    files: tuple[RevisionFile, ...] = ()
    """Of the revisions that were applied."""
    statements: tuple[StatementRecord, ...] = ()
    fingerprint_before: str | None = None
    fingerprint_after: str | None = None
    """Of the schema (`bounty_ops.migrating.catalog`); None: it could not be read."""
    backup_id: str | None = None
    """The proved backup that the gate accepted."""
    rehearsal_id: str | None = None
    approvals: tuple[str, ...] = ()
    """Who approved the digest besides the operator."""
    acknowledged: tuple[Acknowledgement, ...] = ()
    override: Override | None = None
    predicted_seconds: Seconds | None = None
    """What the rehearsal predicted for the whole, to be laid beside what it took."""


class RehearsedStatement(StatementRecord):
    """One statement as it went on a restored copy, under the eyes of a reader and a writer."""

    longest_read_seconds: Seconds = 0
    """The longest time that a probing SELECT on a touched table had to wait."""
    longest_write_seconds: Seconds = 0
    """The same for a probing write."""
    wal_bytes: Count = 0
    disk_bytes: int = 0
    """Growth of the database; negative when it shrank."""
    rewritten: tuple[str, ...] = ()
    """Relations whose file was replaced, which means that every row was written anew."""
    table_bytes: Count | None = None
    """Size in the copy of the largest table that it locked."""
    live_bytes: Count | None = None
    """Size of the same table in the live database when the certificate was made."""
    predicted_seconds: Seconds | None = None
    """Scaled by live size; None where nothing can be said."""


class Rehearsal(Record):
    """The certificate of a rehearsal: what the pending revisions did to a restored copy."""

    kind: ClassVar[str] = "rehearsal"

    format_version: Literal[1] = 1
    id: RecordId
    environment: EnvironmentName
    outcome: Literal["passed", "failed", "inconclusive"]
    reason: str | None = None
    """Why it is not passed."""
    started_at: UtcTime
    finished_at: UtcTime
    operator: str
    backup_id: RecordId | None
    """What was restored; None: there is no proved backup, so nothing was."""
    server_version: str
    """Of the server that it was rehearsed on; ``none`` where it did not come to that."""
    from_revision: str | None
    to_revision: str
    files: tuple[RevisionFile, ...]
    sql_sha256: Sha256
    """Of the rendered SQL of all revisions, in their order."""
    statements: tuple[RehearsedStatement, ...] = ()
    round_trip: Literal["equal", "different", "impossible", "not_tried"] = "not_tried"
    """Whether a downgrade and a second upgrade led back to the same schema and rows."""
    round_trip_detail: str | None = None
    predicted_seconds: Seconds | None = None
    longest_read_seconds: Seconds | None = None
    """The longest time that a probing SELECT had to wait, over all statements of a transaction."""
    longest_write_seconds: Seconds | None = None
    """The same for a probing write."""
    fingerprint_before: str | None = None
    fingerprint_after: str | None = None
    """Of the copy's schema as restored, and at `to_revision`; None: it was not read."""

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if (self.outcome == "passed") != (self.reason is None):
            raise ValueError("a rehearsal gives a reason exactly when it has not passed")
        if self.outcome == "passed" and self.backup_id is None:
            raise ValueError("a rehearsal that passed restored a backup")
        return self


class Approval(Record):
    """A second person's word that a plan may be carried out."""

    kind: ClassVar[str] = "approval"

    format_version: Literal[1] = 1
    id: RecordId
    environment: EnvironmentName
    digest: Sha256
    approved_by: Reason
    approved_at: UtcTime
    reason: str = ""
