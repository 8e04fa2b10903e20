"""Facts about a migration that every gate lets through, and each way to spoil them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.environments import Policy
from bounty_ops.errors import MigrationError, ObjectStoreUnavailable
from bounty_ops.journal.evidence import (
    Approval,
    MigrationEvidence,
    Rehearsal,
    RevisionFile,
)
from bounty_ops.journal.records import BackupState, BackupSummary, Verdict
from bounty_ops.migrating.gate import FirstNow, GateFacts, Records
from bounty_ops.migrating.lint.finding import Finding
from bounty_ops.migrating.live import LiveDatabase, LiveTable
from bounty_ops.migrating.plan import MigrationPlan, PendingRevision

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.gate.values import Name

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
DIGEST: Final = "d" * 64
BEFORE, AFTER, OTHER = "1" * 64, "2" * 64, "3" * 64

PLAN: Final = MigrationPlan(
    environment="production",
    target="db:5432/bounty",
    current="bounty_0002",
    head="bounty_0004",
    pending=(
        PendingRevision("bounty_0003", "Third", "ALTER TABLE a ADD b int;\n", "a" * 64),
        PendingRevision("bounty_0004", "Fourth", "ALTER TABLE a ADD c int;\n", "b" * 64),
    ),
    digest=DIGEST,
    fingerprint=BEFORE,
)
LIVE: Final = LiveDatabase(17, "17.10", (LiveTable("public", "a", 8192, 100, ("a_pkey",)),))
ERROR: Final = Finding("adds-not-null", "error", 1, "It fails.", "ACCESS EXCLUSIVE", "Do not.")


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def backup(number: int = 1, **changes: Any) -> BackupSummary:  # noqa: ANN401 - of BackupSummary
    values: dict[str, Any] = {
        "id": f"backup-{number}",
        "environment": "production",
        "taken_at": hours_ago(2),
        "state": BackupState.COMPLETE,
        "bucket": "bucket",
        "key": "key",
        "size_bytes": 1,
        "sha256": "c" * 64,
        "verdict": Verdict.PROVED,
    }
    return BackupSummary(**values | changes)


def record(**changes: Any) -> MigrationEvidence:  # noqa: ANN401 - of MigrationEvidence
    """What staging wrote down when it had both revisions at once."""
    values: dict[str, Any] = {
        "id": "record-1",
        "environment": "staging",
        "from_revision": "bounty_0002",
        "to_revision": "bounty_0004",
        "digest": "e" * 64,
        "operator": "ada",
        "started_at": hours_ago(30),
        "finished_at": hours_ago(30),
        "outcome": "applied",
        "revisions": ("bounty_0003", "bounty_0004"),
        "files": PLAN.files,
        "fingerprint_before": BEFORE,
        "fingerprint_after": AFTER,
    }
    return MigrationEvidence(**values | changes)


def in_two_steps(**between: Any) -> tuple[MigrationEvidence, ...]:  # noqa: ANN401 - of MigrationEvidence
    """The same in two runs; ``between`` changes what the first one wrote."""
    first = record(
        id="record-1",
        to_revision="bounty_0003",
        finished_at=hours_ago(50),
        revisions=("bounty_0003",),
        files=PLAN.files[:1],
        fingerprint_after=OTHER,
    )
    second = record(
        id="record-2",
        from_revision="bounty_0003",
        revisions=("bounty_0004",),
        files=PLAN.files[1:],
        fingerprint_before=OTHER,
    )
    return first.model_copy(update=between), second


def certificate(**changes: Any) -> Rehearsal:  # noqa: ANN401 - of Rehearsal
    values: dict[str, Any] = {
        "id": "rehearsal-1",
        "environment": "production",
        "outcome": "passed",
        "started_at": hours_ago(5),
        "finished_at": hours_ago(5),
        "operator": "ada",
        "backup_id": "backup-1",
        "server_version": "17.10",
        "from_revision": PLAN.current,
        "to_revision": PLAN.head,
        "files": PLAN.files,
        "sql_sha256": PLAN.sql_sha256,
        "predicted_seconds": 1.5,
        "fingerprint_before": BEFORE,
        "fingerprint_after": AFTER,
    }
    return Rehearsal(**values | changes)


def approval(by: str = "grace", **changes: Any) -> Approval:  # noqa: ANN401 - of Approval
    values: dict[str, Any] = {
        "id": "approval-" + by.replace("@", "-"),
        "environment": "production",
        "digest": DIGEST,
        "approved_by": by,
        "approved_at": hours_ago(1),
    }
    return Approval(**values | changes)


GOOD_RECORDS: Final = Records(
    backups=(backup(),),
    revisions={"backup-1": "bounty_0002"},
    first=(record(),),
    rehearsals=(certificate(),),
    approvals=(approval(),),
)
GOOD: Final = GateFacts(
    plan=PLAN,
    policy=Policy(protected=True, migrate_second_person=True),
    now=NOW,
    operator="ada",
    live=LIVE,
    findings={"bounty_0003": (), "bounty_0004": ()},
    records=GOOD_RECORDS,
    first_now=FirstNow("bounty_0004", known=True, fingerprint=AFTER),
    given_digest=DIGEST,
)


def with_records(facts: GateFacts, **changes: Any) -> GateFacts:  # noqa: ANN401 - of Records
    """The same with other records; a bucket that does not answer stays one."""
    if not isinstance(facts.records, Records):
        return facts
    return replace(facts, records=replace(facts.records, **changes))


def with_policy(facts: GateFacts, **changes: Any) -> GateFacts:  # noqa: ANN401 - of Policy
    return replace(facts, policy=facts.policy.model_copy(update=changes))


@dataclass(frozen=True)
class Defect:
    """One way to spoil good facts, and what the gate has to say of it."""

    what: str
    gate: Name
    spoil: Callable[[GateFacts], GateFacts]
    reason: str
    remedy: str
    also: tuple[Name, ...] = ()
    """Other gates that it shuts."""
    tangled: bool = False
    """Whether it changes records that other gates look at, too."""


def _records(**changes: Any) -> Callable[[GateFacts], GateFacts]:  # noqa: ANN401 - of Records
    return lambda facts: with_records(facts, **changes)


def _facts(**changes: Any) -> Callable[[GateFacts], GateFacts]:  # noqa: ANN401 - of GateFacts
    return lambda facts: replace(facts, **changes)


def _first(**changes: Any) -> Callable[[GateFacts], GateFacts]:  # noqa: ANN401 - of MigrationEvidence
    return _records(first=(record(**changes),))


def _certificate(**changes: Any) -> Callable[[GateFacts], GateFacts]:  # noqa: ANN401 - of Rehearsal
    return _records(rehearsals=(certificate(**changes),))


def _unrehearsed(*first: MigrationEvidence) -> Callable[[GateFacts], GateFacts]:
    """Other records of staging, where no rehearsal tells what the schema should be."""
    blind = certificate(fingerprint_before=None, fingerprint_after=None)
    return _records(first=first, rehearsals=(blind,))


_EDITED: Final = (RevisionFile(revision="bounty_0003", sha256="f" * 64), PLAN.files[1])
_TAKEN_BACK: Final = record(
    id="record-9",
    direction="downgrade",
    from_revision="bounty_0004",
    to_revision="bounty_0003",
    files=(),
    finished_at=hours_ago(26),
)
_BACKUP: Final = "backup run -e production.*--backup-first"
_REHEARSE: Final = "bounty-ops db rehearse -e production"
_STAGING: Final = "bounty-ops db migrate -e staging, then wait 24 h"
_AGAIN: Final = "db refresh staging --from production"

DEFECTS: Final = (
    Defect(
        "an error that nobody acknowledged",
        "lint",
        _facts(findings={"bounty_0003": (ERROR,), "bounty_0004": (ERROR, ERROR)}),
        r"3 errors: adds-not-null in bounty_0003, adds-not-null in bounty_0004 \(2 times\)",
        "--apply DIGEST --acknowledge adds-not-null=REASON",
    ),
    Defect(
        "a linter that failed",
        "lint",
        _facts(findings=MigrationError("the SQL of bounty_0003 cannot be read", hint="Mend it.")),
        "were not linted: the SQL of bounty_0003 cannot be read",
        "Mend it",
    ),
    Defect(
        "no backup",
        "backup",
        _records(backups=()),
        "was proved by a restore",
        _BACKUP,
        also=("rehearsal",),
    ),
    Defect(
        "a backup that nobody verified",
        "backup",
        _records(backups=(backup(verdict=Verdict.UNVERIFIED),)),
        "no backup of production was proved",
        _BACKUP,
    ),
    Defect(
        "a backup whose verification was inconclusive",
        "backup",
        _records(backups=(backup(verdict=Verdict.INCONCLUSIVE),)),
        "no backup of production was proved",
        _BACKUP,
    ),
    Defect(
        "a damaged backup",
        "backup",
        _records(backups=(backup(state=BackupState.DAMAGED),)),
        "no backup of production was proved",
        _BACKUP,
    ),
    Defect(
        "an imported archive",
        "backup",
        _records(backups=(backup(imported=True),)),
        "no backup of production was proved",
        _BACKUP,
    ),
    Defect(
        "a newer backup that was refuted",
        "backup",
        _records(
            backups=(backup(), backup(2, verdict=Verdict.REFUTED, taken_at=hours_ago(1))),
        ),
        "backup-2, does not restore to what it was",
        _BACKUP,
    ),
    Defect(
        "an old backup",
        "backup",
        _records(backups=(backup(taken_at=hours_ago(24.5)),)),
        "backup-1, is 24.5 h old; the policy allows 24 h",
        _BACKUP,
    ),
    Defect(
        "a backup of an earlier revision",
        "backup",
        _records(revisions={"backup-1": "bounty_0001"}),
        "was taken at bounty_0001, and production is at bounty_0002",
        _BACKUP,
    ),
    Defect(
        "a backup of a database without a revision",
        "backup",
        _records(revisions={"backup-1": None}),
        "was taken at no revision",
        _BACKUP,
    ),
    Defect(
        "a backup whose manifest cannot be read",
        "backup",
        _records(revisions={}),
        "was taken at an unknown revision",
        _BACKUP,
    ),
    Defect(
        "staging without any record",
        "staging",
        _records(first=()),
        "staging has not had bounty_0003, bounty_0004",
        _STAGING,
    ),
    Defect(
        "staging with one of two",
        "staging",
        _records(first=in_two_steps()[:1]),
        "staging has not had bounty_0004$",
        _STAGING,
    ),
    Defect(
        "a record of another environment",
        "staging",
        _first(environment="development"),
        "staging has not had",
        _STAGING,
    ),
    Defect(
        "a file that was edited since staging had it",
        "staging",
        _first(files=_EDITED),
        "staging has had bounty_0003 with other content",
        _AGAIN,
    ),
    Defect(
        "a stamp instead of a migration",
        "staging",
        _first(direction="stamp"),
        "staging has not had bounty_0003, bounty_0004",
        _STAGING,
    ),
    Defect(
        "a migration that was taken back on staging",
        "staging",
        _records(first=(record(), _TAKEN_BACK)),
        "staging has not had bounty_0004$",
        _STAGING,
    ),
    Defect(
        "too short a time on staging",
        "staging",
        _first(finished_at=hours_ago(23)),
        "staging has had them for 23.0 h; the policy wants 24 h",
        "Wait until 2026-11-23 13:00 UTC",
    ),
    Defect(
        "a record of staging from the future",
        "staging",
        _first(finished_at=hours_ago(-48)),
        "is from the future",
        "Set the clock",
    ),
    Defect(
        "staging that came out unlike the rehearsal",
        "staging",
        _records(first=(record(fingerprint_after=OTHER),)),
        "came out unlike the one of the rehearsal",
        "db drift -e staging and -e production",
    ),
    Defect(
        "staging that started from another schema",
        "staging",
        _unrehearsed(record(fingerprint_before=OTHER)),
        "started from another schema than production",
        "db drift -e staging",
        tangled=True,
    ),
    Defect(
        "staging whose starting schema nobody knows",
        "staging",
        _unrehearsed(record(fingerprint_before=None)),
        "started from another schema than production",
        "db drift -e staging",
        tangled=True,
    ),
    Defect(
        "staging whose resulting schema nobody knows",
        "staging",
        _unrehearsed(record(fingerprint_after=None)),
        "record-1 does not say what schema staging had afterwards",
        _AGAIN,
        tangled=True,
    ),
    Defect(
        "staging that was changed between two steps",
        "staging",
        _unrehearsed(*in_two_steps(fingerprint_after="4" * 64)),
        "changed by something else between the records record-1 and record-2",
        _AGAIN,
        tangled=True,
    ),
    Defect(
        "staging that had them together with earlier ones",
        "staging",
        _unrehearsed(record(from_revision="bounty_0001")),
        "had them together with others, from bounty_0001 on",
        _REHEARSE,
        tangled=True,
    ),
    Defect(
        "staging that was refreshed since",
        "staging",
        _facts(first_now=FirstNow("bounty_0002", known=True, fingerprint=BEFORE)),
        "staging is at bounty_0002 now: it was restored, refreshed or taken back",
        _STAGING,
    ),
    Defect(
        "staging that was changed by hand since",
        "staging",
        _facts(first_now=FirstNow("bounty_0004", known=True, fingerprint=OTHER)),
        "schema of staging was changed by something else since it was migrated",
        "db drift -e staging",
    ),
    Defect(
        "no rehearsal",
        "rehearsal",
        _records(rehearsals=()),
        "nothing was ever rehearsed for production",
        _REHEARSE,
    ),
    Defect(
        "a rehearsal of another environment",
        "rehearsal",
        _certificate(environment="staging"),
        "nothing was ever rehearsed for production",
        _REHEARSE,
    ),
    Defect(
        "a rehearsal from another revision",
        "rehearsal",
        _certificate(from_revision="bounty_0001"),
        "rehearsal-1, was of another way: from bounty_0001, not from bounty_0002",
        _REHEARSE,
    ),
    Defect(
        "a rehearsal of other files",
        "rehearsal",
        _certificate(files=_EDITED),
        "rehearsal-1, was of other revision files",
        _REHEARSE,
    ),
    Defect(
        "a rehearsal of fewer files",
        "rehearsal",
        _certificate(files=PLAN.files[:1]),
        "was of other revision files",
        _REHEARSE,
    ),
    Defect(
        "a rehearsal of other SQL",
        "rehearsal",
        _certificate(sql_sha256="f" * 64),
        "rehearsal-1, was of other SQL",
        _REHEARSE,
    ),
    Defect(
        "a rehearsal that failed",
        "rehearsal",
        _certificate(outcome="failed", reason="a column is missing"),
        "rehearsal-1 failed: a column is missing",
        _REHEARSE,
    ),
    Defect(
        "a rehearsal that passed, and a later one that did not",
        "rehearsal",
        _records(
            rehearsals=(
                certificate(),
                certificate(
                    id="rehearsal-2",
                    outcome="inconclusive",
                    reason="the disk was full",
                    finished_at=hours_ago(4),
                ),
            )
        ),
        "rehearsal-2 was inconclusive: the disk was full",
        _REHEARSE,
    ),
    Defect(
        "an old rehearsal",
        "rehearsal",
        _certificate(finished_at=hours_ago(169)),
        "rehearsal-1 is 169.0 h old; the policy allows 168 h",
        _REHEARSE,
    ),
    Defect(
        "a rehearsal from the future",
        "rehearsal",
        _certificate(finished_at=hours_ago(-2)),
        "is from the future",
        _REHEARSE,
    ),
    Defect(
        "a rehearsal on another major",
        "rehearsal",
        _certificate(server_version="16.15"),
        r"was on PostgreSQL 16\.15, and production runs PostgreSQL 17",
        _REHEARSE,
    ),
    Defect(
        "a rehearsal on a backup of somebody else",
        "rehearsal",
        _certificate(backup_id="backup-7"),
        "was on backup backup-7, which is not among those of production",
        _REHEARSE,
    ),
    Defect(
        "a rehearsal on a backup that was refuted since",
        "rehearsal",
        _records(
            backups=(backup(), backup(2, verdict=Verdict.REFUTED, taken_at=hours_ago(9))),
            revisions={"backup-1": "bounty_0002"},
            rehearsals=(certificate(backup_id="backup-2"),),
        ),
        "was on backup backup-2, which was refuted since",
        _REHEARSE,
        tangled=True,
    ),
    Defect(
        "a rehearsal on a schema that was changed since",
        "rehearsal",
        _certificate(fingerprint_before=OTHER),
        "was on another schema: the live one was changed since",
        _REHEARSE,
    ),
    Defect(
        "nobody's approval",
        "second_person",
        _records(approvals=()),
        "nobody has approved this digest",
        f"Somebody else than ada: bounty-ops db approve -e production {DIGEST}",
    ),
    Defect(
        "the operator's own approval",
        "second_person",
        _records(approvals=(approval("Ada@ci"),)),
        "only ada has approved this digest, who applies it",
        "Somebody else than ada",
    ),
    Defect(
        "an approval of another digest",
        "second_person",
        _records(approvals=(approval(digest="e" * 64),)),
        "nobody has approved this digest",
        "db approve",
    ),
    Defect(
        "an approval for another environment",
        "second_person",
        _records(approvals=(approval(environment="staging"),)),
        "nobody has approved this digest",
        "db approve",
    ),
    Defect(
        "no digest",
        "digest",
        _facts(given_digest=None),
        "no digest was given yet",
        f"bounty-ops db migrate -e production --apply {DIGEST}",
    ),
    Defect(
        "another plan's digest",
        "digest",
        _facts(given_digest="e" * 64),
        "that of another plan",
        "bounty-ops db plan -e production",
    ),
    Defect(
        "an empty digest",
        "digest",
        _facts(given_digest=""),
        "that of another plan",
        "bounty-ops db plan -e production",
    ),
)
NO_BUCKET: Final = ObjectStoreUnavailable("nobody answers at s3.example", hint="Look at the store.")
