"""Composing where an environment stands: what nobody could see is unknown, and says why."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.alerting import Rule
from bounty_ops.alerting.register import IncidentShown, Looked
from bounty_ops.environments import Policy
from bounty_ops.errors import ObjectStoreUnavailable, ServerUnavailable
from bounty_ops.journal.records import BackupState, Verdict
from bounty_ops.standing import DriftSeen, Standing
from bounty_ops.standing.model import (
    Watched,
    with_backups,
    with_copies,
    with_problem,
    with_watched,
)
from bounty_ops.standing.together import together
from bounty_ops_tests.alerting.situations import NOW, backup

if TYPE_CHECKING:
    from collections.abc import Callable

BLANK = Standing("production", configured=True, protected=True)
AWAY = ServerUnavailable("nobody answers at db:5432", hint="Start it.")


def incident(rule: Rule, severity: str = "warning", **more: Any) -> IncidentShown:  # noqa: ANN401 - any field
    values: dict[str, Any] = {
        **dict.fromkeys(IncidentShown.__dataclass_fields__),
        "environment": "production", "rule": rule, "severity": severity, "state": "firing",
        "last_seen_at": NOW, "evidence": {}, **more,
    }  # fmt: skip
    return IncidentShown(**values)


def watched(*incidents: IncidentShown, minutes: float = 1, **unknown: str) -> Watched:
    said = tuple({"rule": rule, "reason": reason} for rule, reason in unknown.items())
    return Watched(incidents, [Looked("production", NOW - timedelta(minutes=minutes), said)])


def test_a_database_that_is_gone_leaves_what_others_know() -> None:
    found = with_problem(BLANK, AWAY)
    found = with_backups(found, Policy(), [backup(hours=3)], NOW)
    assert found.last_proof is not None
    assert found.rpo_seconds == 3 * 3600
    assert (found.problem, found.hint) == (str(AWAY), "Start it.")
    assert found.unknown == dict.fromkeys(
        ("server_version", "size_bytes", "revision", "head", "pending"), str(AWAY)
    )


def test_another_environments_backups_are_not_its_own() -> None:
    found = with_backups(Standing("staging", True, False), Policy(), [backup()], NOW)
    assert (found.last_backup, found.last_proof) == (None, None)
    assert set(found.unknown) == {"rpo_seconds", "rto_seconds"}
    assert found.rpo_objective_seconds is not None


def test_a_bucket_that_is_gone_makes_backups_unknown_and_not_missing() -> None:
    gone = ObjectStoreUnavailable("the bucket does not answer", hint="Look.")
    found = with_copies(with_backups(BLANK, Policy(), gone, NOW), "s3://second", gone)
    assert set(found.unknown) == {
        "last_backup", "last_proof", "rpo_seconds", "rto_seconds", "last_copy",
    }  # fmt: skip
    assert found.bucket_problem == "the bucket does not answer"
    assert found.second_bucket_problem == "the bucket does not answer. Look."


def test_only_a_whole_backup_proves_anything() -> None:
    found = with_backups(
        BLANK,
        Policy(),
        [
            backup(hours=1, state=BackupState.DAMAGED),
            backup(hours=2, verdict=Verdict.UNVERIFIED),
            backup(hours=30),
        ],
        NOW,
    )
    assert found.last_backup is not None
    assert found.last_backup.taken_at == NOW - timedelta(hours=1)
    assert found.last_proof is not None
    assert found.last_proof.taken_at == NOW - timedelta(hours=30)


def test_incidents_are_counted_by_severity_and_drift_is_one_of_them() -> None:
    found = with_watched(
        BLANK,
        watched(
            incident(Rule.BACKUP_OVERDUE, "critical"),
            incident(Rule.SCHEMA_DRIFT, evidence={"count": 3}),
            incident(Rule.MIGRATION_PENDING, state="pending"),
            incident(Rule.BLOCKING, "critical", environment="staging"),
        ),
        NOW,
    )
    assert found.drift == DriftSeen(3, NOW)
    assert found.open_incidents is not None
    told = {key: count for key, count in asdict(found.open_incidents).items() if key != "looked_at"}
    assert told == {"critical": 1, "warning": 1, "info": 0, "pending": 1}
    assert found.unknown == {}


@pytest.mark.parametrize(
    ("seen", "fields", "word"),
    [
        (lambda: AWAY, {"drift", "open_incidents"}, "nobody answers"),
        (lambda: Watched([], []), {"drift", "open_incidents"}, "has not looked"),
        (lambda: watched(minutes=60), {"drift", "open_incidents"}, "looked last at"),
        (lambda: watched(schema_drift="nobody compared"), {"drift"}, "nobody compared"),
    ],
    ids=["database away", "never looked", "looks no more", "undecided"],
)
def test_what_nobody_looked_at_is_unknown(
    seen: Callable[[], Any], fields: set[str], word: str
) -> None:
    found = with_watched(BLANK, seen(), NOW)
    assert set(found.unknown) == fields
    assert all(word in why for why in found.unknown.values())
    assert found.drift is None


def test_a_watcher_that_stopped_still_said_what_was_wrong() -> None:
    found = with_watched(BLANK, watched(incident(Rule.SCHEMA_DRIFT), minutes=60), NOW)
    assert found.drift == DriftSeen(None, NOW)
    assert found.open_incidents is not None
    assert found.open_incidents.looked_at == NOW - timedelta(minutes=60)


def test_who_does_not_answer_delays_nobody_beyond_the_time_of_all() -> None:

    never = Event()

    def refuse() -> str:
        raise AWAY

    answers = together(
        {"good": lambda: "here", "gone": lambda: str(never.wait()), "away": refuse},
        within_seconds=0.5,
    )
    never.set()
    assert answers["good"] == "here"
    assert answers["away"] is AWAY
    assert isinstance(answers["gone"], ServerUnavailable)
    assert "no answer within 0.5 s" in str(answers["gone"])


def test_a_defect_is_no_answer() -> None:
    with pytest.raises(ZeroDivisionError):
        together({"broken": lambda: 1 / 0}, within_seconds=30)
