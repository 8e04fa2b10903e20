"""The gate of the environment that migrates first: same files, long enough, to an equal schema."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops.alerting.objectives import CLOCK_TOLERANCE
from bounty_ops.migrating.gate.resting import same_start, unlike
from bounty_ops.migrating.gate.values import Gate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bounty_ops.journal.evidence import MigrationEvidence
    from bounty_ops.migrating.gate.values import FirstNow, GateFacts, Records

_HOUR: Final = 3600


@dataclass(frozen=True)
class _Had:
    """A revision file that an environment has had, and still has by its records."""

    sha256: str
    at: datetime
    record: MigrationEvidence


def staging_gate(facts: GateFacts, records: Records) -> Gate:
    """The environment that `migrate_first_on` names has had the same, and it did well there."""
    first, here = facts.policy.migrate_first_on, facts.plan.environment
    if not first:
        return Gate("staging", "not_required", "the policy names no environment that goes first")
    if first == here:
        return Gate("staging", "not_required", f"{here} is the one that goes first")
    had = _had(
        [one for one in records.first if one.environment == first],
        [step.revision for step in facts.plan.pending],
    )
    problem = _missing(facts, had) or _too_young(facts, had)
    if problem is None:
        chain = _chain(had[file.revision].record for file in facts.plan.files)
        problem = _other_schema(facts, records, chain) or _gone(facts, facts.first_now, chain[-1])
    if problem is not None:
        reason, remedy = problem
        return Gate("staging", "refused", reason, remedy)
    newest = max((had[file.revision] for file in facts.plan.files), key=lambda one: one.at)
    return Gate(
        "staging",
        "passed",
        f"{first} has had the same files for {_hours(facts.now, newest.at)}, with an equal schema",
        rests_on=newest.record.id,
    )


class _Problem(NamedTuple):
    reason: str
    remedy: str


def _had(records: Sequence[MigrationEvidence], wanted: Sequence[str]) -> dict[str, _Had]:
    """What the records say that an environment has had and still has of the wanted revisions.

    What was applied before a later one failed stays applied, so failed attempts count as well.
    Whatever was taken back, or jumped over by a stamp, has to be applied again.
    """
    had: dict[str, _Had] = {}
    for record in sorted(records, key=lambda one: (one.finished_at, one.id)):
        if record.direction == "upgrade":
            had.update(
                {
                    file.revision: _Had(file.sha256, record.finished_at, record)
                    for file in record.files
                    if file.revision in wanted
                }
            )
        elif record.outcome != "nothing_to_do":
            stays = wanted.index(record.to_revision) + 1 if record.to_revision in wanted else 0
            had = {revision: one for revision, one in had.items() if revision in wanted[:stays]}
    return had


def _missing(facts: GateFacts, had: dict[str, _Had]) -> _Problem | None:
    first, files = facts.policy.migrate_first_on, facts.plan.files
    missing = [file.revision for file in files if file.revision not in had]
    if missing:
        return _Problem(
            f"{first} has not had {', '.join(missing)}",
            f"bounty-ops db migrate -e {first}, then wait {facts.policy.migrate_soak_hours:g} h",
        )
    changed = [file.revision for file in files if had[file.revision].sha256 != file.sha256]
    if changed:
        return _Problem(
            f"{first} has had {', '.join(changed)} with other content than the files have now",
            _AGAIN.format(first=first, here=facts.plan.environment),
        )
    return None


def _too_young(facts: GateFacts, had: dict[str, _Had]) -> _Problem | None:
    first, soak = facts.policy.migrate_first_on, facts.policy.migrate_soak_hours
    newest = max((had[file.revision] for file in facts.plan.files), key=lambda one: one.at)
    if newest.at > facts.now + CLOCK_TOLERANCE:
        return _Problem(
            f"the record {newest.record.id} of {first} is from the future "
            f"({newest.at:%Y-%m-%d %H:%M} UTC)",
            f"Set the clock of the machine that migrated {first}, and of this one.",
        )
    if facts.now - newest.at < timedelta(hours=soak) and soak > 0:
        until = newest.at + timedelta(hours=soak)
        return _Problem(
            f"{first} has had them for {_hours(facts.now, newest.at)}; the policy wants {soak:g} h",
            f"Wait until {until:%Y-%m-%d %H:%M} UTC.",
        )
    return None


def _chain(records: Iterable[MigrationEvidence]) -> list[MigrationEvidence]:
    """The records that a row of revisions was applied by, each once."""
    return list({record.id: record for record in records}.values())


def _other_schema(
    facts: GateFacts, records: Records, chain: Sequence[MigrationEvidence]
) -> _Problem | None:
    """Whether the schemas differ: at the end by the rehearsal's word, else at the start."""
    first, plan = facts.policy.migrate_first_on, facts.plan
    drift = f"bounty-ops db drift -e {first} and -e {plan.environment} name what differs. " + (
        _AGAIN.format(first=first, here=plan.environment)
    )
    last = chain[-1]
    rehearsed = _rehearsed_end(facts, records)
    if rehearsed is not None and last.to_revision == plan.head:
        if last.fingerprint_after == rehearsed:
            return None
        return _Problem(f"the schema of {first} came out unlike the one of the rehearsal", drift)
    broken = _broken(first, chain, drift)
    if broken is not None:
        return broken
    if chain[0].from_revision != plan.current:
        return _Problem(
            f"{first} had them together with others, from {chain[0].from_revision or 'nothing'} "
            "on, so that its schema cannot be compared",
            f"bounty-ops db rehearse -e {plan.environment}: with a rehearsal it can.",
        )
    if not same_start(chain[0].fingerprint_before, facts, records):
        return _Problem(f"{first} started from another schema than {plan.environment} has", drift)
    return None


def _broken(first: str, chain: Sequence[MigrationEvidence], remedy: str) -> _Problem | None:
    """Whether something else changed the schema between the records, or nobody knows."""
    for earlier, later in pairwise(chain):
        if (
            earlier.fingerprint_after is None
            or earlier.fingerprint_after != later.fingerprint_before
        ):
            return _Problem(
                f"the schema of {first} was changed by something else between the records "
                f"{earlier.id} and {later.id}",
                remedy,
            )
    last = chain[-1]
    if last.fingerprint_after is None:
        return _Problem(
            f"the record {last.id} does not say what schema {first} had afterwards", remedy
        )
    return None


def _rehearsed_end(facts: GateFacts, records: Records) -> str | None:
    """The schema that the newest rehearsal of this plan ended with, if it passed."""
    fitting = [one for one in records.rehearsals if unlike(one, facts) is None]
    newest = max(fitting, key=lambda one: (one.finished_at, one.id), default=None)
    if newest is None or newest.outcome != "passed":
        return None
    return newest.fingerprint_after


def _gone(facts: GateFacts, now: FirstNow | None, last: MigrationEvidence) -> _Problem | None:
    """Whether the environment, asked itself, no longer is what its records say."""
    if now is None or not now.known:
        return None
    first, plan = facts.policy.migrate_first_on, facts.plan
    if now.revision != plan.head:
        return _Problem(
            f"{first} is at {now.revision or 'no revision'} now: it was restored, refreshed or "
            "taken back since",
            f"bounty-ops db migrate -e {first}, then wait {facts.policy.migrate_soak_hours:g} h",
        )
    if last.to_revision == plan.head and now.fingerprint != last.fingerprint_after:
        return _Problem(
            f"the schema of {first} was changed by something else since it was migrated",
            f"bounty-ops db drift -e {first} names what differs.",
        )
    return None


_AGAIN: Final = (
    "Then bring {first} back (bounty-ops db refresh {first} --from {here}) and migrate it anew."
)


def _hours(now: datetime, then: datetime) -> str:
    return f"{max(0.0, (now - then).total_seconds()) / _HOUR:.1f} h"
