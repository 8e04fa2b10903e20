"""The gates that rest on evidence about this environment: a proved backup, and a rehearsal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.objectives import CLOCK_TOLERANCE, usable
from bounty_ops.journal.evidence import RevisionFile
from bounty_ops.journal.records import Verdict
from bounty_ops.migrating.gate.values import Gate
from bounty_ops.migrating.plan import hash_of_sql

if TYPE_CHECKING:
    from datetime import datetime

    from bounty_ops.journal.evidence import MigrationEvidence, Rehearsal
    from bounty_ops.journal.records import BackupSummary
    from bounty_ops.migrating.gate.values import GateFacts, Records

_HOUR: Final = 3600


def backup_gate(facts: GateFacts, records: Records) -> Gate:
    """A backup that a restore has proved, young enough, and of the schema as it is now."""
    plan, limit = facts.plan, facts.policy.migrate_backup_max_age_hours
    known = [one for one in records.backups if one.environment == plan.environment]
    # Of two backups with a verdict the newer one's tells what a backup is worth here today.
    decided = [
        one for one in usable(known, facts.now) if one.verdict in {Verdict.PROVED, Verdict.REFUTED}
    ]
    if not any(one.verdict is Verdict.PROVED for one in decided):
        return _no_backup(facts, f"no backup of {plan.environment} was proved by a restore")
    newest = decided[0]
    if newest.verdict is Verdict.REFUTED:
        return _no_backup(
            facts,
            f"the newest backup with a verdict, {newest.id}, does not restore to what it was",
        )
    if facts.now - newest.taken_at > timedelta(hours=limit):
        return _no_backup(
            facts,
            f"the newest proved backup, {newest.id}, is {_hours(facts.now, newest.taken_at)} old; "
            f"the policy allows {limit:g} h",
        )
    for one in decided:
        if _rests_well(one, facts, records):
            age = _hours(facts.now, one.taken_at)
            return Gate("backup", "passed", f"{one.id} is proved and {age} old", rests_on=one.id)
    there = records.revisions.get(newest.id, "an unknown revision")
    return _no_backup(
        facts,
        f"the newest proved backup, {newest.id}, was taken at {there or 'no revision'}, and "
        f"{plan.environment} is at {plan.current or 'no revision'}: it would bring back another "
        "schema",
    )


def _rests_well(one: BackupSummary, facts: GateFacts, records: Records) -> bool:
    """Whether a backup with a verdict is proved, young, and of the present revision."""
    limit = timedelta(hours=facts.policy.migrate_backup_max_age_hours)
    if one.verdict is not Verdict.PROVED or facts.now - one.taken_at > limit:
        return False
    # An attempt that was stopped halfway goes on with the backup from before its first half.
    halfway = stopped(facts, records)
    if halfway is not None and halfway.backup_id == one.id:
        return True
    return one.id in records.revisions and records.revisions[one.id] == facts.plan.current


def _no_backup(facts: GateFacts, reason: str) -> Gate:
    environment = facts.plan.environment
    return Gate(
        "backup",
        "refused",
        reason,
        f"bounty-ops backup run -e {environment}; or give --backup-first together with --apply, "
        "which takes a backup and proves it before anything is changed",
    )


def rehearsal_gate(facts: GateFacts, records: Records) -> Gate:
    """The newest rehearsal of exactly this, on a copy of this environment, has passed."""
    plan = facts.plan
    candidates = sorted(
        (one for one in records.rehearsals if one.environment == plan.environment),
        key=lambda one: (one.finished_at, one.id),
        reverse=True,
    )
    if not candidates:
        return _not_rehearsed(facts, f"nothing was ever rehearsed for {plan.environment}")
    fitting = [one for one in candidates if unlike(one, facts) is None]
    if not fitting:
        newest = candidates[0]
        return _not_rehearsed(
            facts, f"the newest rehearsal, {newest.id}, was {unlike(newest, facts)}"
        )
    problem = _weakness(fitting[0], facts, records)
    if problem is not None:
        return _not_rehearsed(facts, f"the rehearsal {fitting[0].id} {problem}")
    certificate = fitting[0]
    age = _hours(facts.now, certificate.finished_at)
    predicted = certificate.predicted_seconds
    told = "" if predicted is None else f"; it predicts {predicted:.1f} s"
    return Gate(
        "rehearsal",
        "passed",
        f"{certificate.id} passed {age} ago on a copy of {certificate.backup_id}{told}",
        rests_on=certificate.id,
    )


def unlike(certificate: Rehearsal, facts: GateFacts) -> str | None:
    """What a certificate was about, if not about this plan; None: it is about this one.

    It may have begun earlier, if what lies between was applied since with the very same files: a
    migration that stopped after its first revision goes on with the certificate that it had.
    """
    plan = facts.plan
    if certificate.environment != plan.environment:
        return f"of {certificate.environment}"
    earlier = len(certificate.files) - len(plan.files)
    if earlier < 0 or certificate.files[earlier:] != plan.files:
        return "of other revision files"
    behind = facts.behind[len(facts.behind) - earlier :] if earlier <= len(facts.behind) else ()
    came = tuple(RevisionFile(revision=one.revision, sha256=one.sha256) for one in behind)
    if certificate.files[:earlier] != came or not (
        earlier or certificate.from_revision == plan.current
    ):
        there = certificate.from_revision or "an empty database"
        return f"of another way: from {there}, not from {plan.current or 'an empty database'}"
    if certificate.sql_sha256 != hash_of_sql(step.sql for step in (*behind, *plan.pending)):
        return "of other SQL"
    return None


def _weakness(certificate: Rehearsal, facts: GateFacts, records: Records) -> str | None:
    """Why a certificate that is about this plan does not carry it."""
    limit = facts.policy.migrate_rehearsal_max_age_hours
    if certificate.outcome != "passed":
        how = "failed" if certificate.outcome == "failed" else "was inconclusive"
        return f"{how}: {certificate.reason}"
    if certificate.finished_at > facts.now + CLOCK_TOLERANCE:
        return f"is from the future ({certificate.finished_at:%Y-%m-%d %H:%M} UTC)"
    if facts.now - certificate.finished_at > timedelta(hours=limit):
        age = _hours(facts.now, certificate.finished_at)
        return f"is {age} old; the policy allows {limit:g} h"
    return _other_ground(certificate, facts, records)


def _other_ground(certificate: Rehearsal, facts: GateFacts, records: Records) -> str | None:
    """Whether it was rehearsed on something that is not like the live database."""
    if _major(certificate) != facts.live.server_major:
        return (
            f"was on PostgreSQL {certificate.server_version}, and {facts.plan.environment} runs "
            f"PostgreSQL {facts.live.server_major}"
        )
    restored = [one for one in records.backups if one.id == certificate.backup_id]
    if not any(one.environment == facts.plan.environment for one in restored):
        return (
            f"was on backup {certificate.backup_id}, which is not among those of "
            f"{facts.plan.environment}"
        )
    if any(one.verdict is Verdict.REFUTED for one in restored):
        return f"was on backup {certificate.backup_id}, which was refuted since"
    before = certificate.fingerprint_before
    at_once = len(certificate.files) == len(facts.plan.files)
    if at_once and before is not None and not same_start(before, facts, records):
        return "was on another schema: the live one was changed since by something else"
    return None


def same_start(fingerprint: str | None, facts: GateFacts, records: Records) -> bool:
    """Whether a schema is the one that this plan starts from.

    That is the live one. After an attempt that failed it is also the one that this attempt found,
    if the live one is exactly what it left behind: a half-built index must not turn the next
    attempt into an emergency. In the middle of a revision the live schema is neither that before
    nor that after it, and nothing can be compared.
    """
    if facts.interrupted or fingerprint == facts.plan.fingerprint:
        return fingerprint is not None
    failed = stopped(facts, records)
    return (
        fingerprint is not None
        and failed is not None
        and not failed.revisions
        and failed.fingerprint_after == facts.plan.fingerprint
        and failed.fingerprint_before == fingerprint
    )


def stopped(facts: GateFacts, records: Records) -> MigrationEvidence | None:
    """The record of the attempt that this plan goes on with, if the last one was stopped."""
    newest = max(
        (one for one in records.migrations if one.environment == facts.plan.environment),
        key=lambda one: (one.finished_at, one.id),
        default=None,
    )
    goes_on = (
        newest is not None
        and newest.outcome == "failed"
        and newest.to_revision == facts.plan.current
    )
    return newest if goes_on else None


def _major(certificate: Rehearsal) -> int | None:
    major = certificate.server_version.partition(".")[0]
    return int(major) if major.isdecimal() else None


def _not_rehearsed(facts: GateFacts, reason: str) -> Gate:
    remedy = f"bounty-ops db rehearse -e {facts.plan.environment}"
    return Gate("rehearsal", "refused", reason, remedy)


def _hours(now: datetime, then: datetime) -> str:
    return f"{max(0.0, (now - then).total_seconds()) / _HOUR:.1f} h"
