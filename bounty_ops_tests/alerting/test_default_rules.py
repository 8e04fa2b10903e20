"""Every rule fires at what it is for, says what to do, and is quiet otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.alerting import Keeping, Rule, Severity, Situation, evaluate
from bounty_ops.alerting.facts import (
    Automation,
    Drift,
    LatestRun,
    Outbox,
    Revision,
)
from bounty_ops.alerting.rules import RULES
from bounty_ops.environments import AlertSettings, Policy
from bounty_ops.environments.alert_rules import DEFAULTS
from bounty_ops.errors import ConfigurationError, ObjectStoreUnavailable, ServerUnavailable
from bounty_ops.journal.records import MigrationEvidence, Verdict
from bounty_ops.monitoring import Unknown
from bounty_ops.monitoring.forecast import Forecast, Silence
from bounty_ops.monitoring.outlooks import Ceiling, Kind, Outlook
from bounty_ops.monitoring.regression import Regression
from bounty_ops_tests.alerting import measures as m
from bounty_ops_tests.alerting.situations import NOW, backup, situation
from bounty_ops_tests.alerting.test_migration_rules import OVERRIDE, migration

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.monitoring import FamilyResult
    from bounty_ops.monitoring.collectors.activity import LongSession

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
AWAY = ServerUnavailable("db:5432/bounty: connection refused", hint="Start it.")
BUCKET_AWAY = ObjectStoreUnavailable("nobody answers at the endpoint", hint="Check the URL.")


def seen(*families: FamilyResult, unknown: tuple[Unknown, ...] = ()) -> Situation:
    return replace(situation(), collection=m.measured(*families, unknown=unknown))


def facts(**changed: Any) -> Situation:  # noqa: ANN401 - any field
    return replace(situation(), **changed)


def dagster(*runs: LatestRun, automations: tuple[Automation, ...] = ()) -> Situation:
    base = situation()
    assert base.dagster is not None
    return replace(base, dagster=replace(base.dagster, runs=runs, automations=automations))


def regression(times: float, share: float) -> Situation:
    slower = Regression(
        fingerprint="ab12",
        user="app",
        text="SELECT $1",
        mean_seconds=times,
        usual_seconds=1.0,
        factor=times,
        share=share,
        since=NOW,
        basis="days before",
        intervals=20,
    )
    return facts(regressions=(slower,))


def automation(**changed: Any) -> Situation:  # noqa: ANN401 - any field
    each = Automation("production_watch", "sensor", 60.0, NOW - MINUTE, NOW - HOUR)
    return dagster(automations=(replace(each, **changed),))


def ahead(
    kind: Kind, days: float = 0, *, told: Silence | None = None, sure: bool = True
) -> Situation:
    """Something of 100 GiB, of which 70 are used, that is full in so many days or ten more."""
    earliest = NOW + timedelta(days=days)
    latest = earliest + timedelta(days=10) if sure else None
    growth = Forecast(earliest, latest, per_day=m.GIB / 3, level=70.0 * m.GIB, limit=80.0 * m.GIB)
    subject = "public.x" if kind in {"sequence", "table"} else kind
    ceiling = Ceiling(kind, subject, "any", "any", "any", 70.0 * m.GIB, 100.0 * m.GIB)
    return facts(outlooks=(Outlook(ceiling, told or growth),))


def failed_migration() -> MigrationEvidence:
    return migration(1, NOW - HOUR, None).model_copy(update={"outcome": "failed"})


def grown(mib: int) -> Situation:
    return seen(m.tables(m.table(total_bytes=mib * m.MIB)))


def pausing(seconds: float) -> LongSession:
    """A transaction that has been open for half an hour, and idle for so long."""
    return m.session(seconds, state="idle in transaction", transaction_seconds=1_800)


def unread(**changed: Any) -> Situation:  # noqa: ANN401 - any field
    return seen(m.replication(slots=(m.slot(active=False, **changed),)))


#: A situation that each rule is quiet at although it is near, one it fires at, how grave that is,
#: and what it says.
CASES: dict[Rule, list[tuple[Callable[[], Situation], Severity | None, str]]] = {
    Rule.SERVER_UNREACHABLE: [(lambda: facts(collection=AWAY), CRITICAL, "Do: Start it.")],
    Rule.BUCKET_UNREACHABLE: [(lambda: facts(backups=BUCKET_AWAY), CRITICAL, "Check the URL")],
    Rule.OPERATIONS_UNREACHABLE: [
        (lambda: facts(operations=AWAY), CRITICAL, "operations database cannot be reached")
    ],
    Rule.ALERT_SETTINGS_WRONG: [
        (
            lambda: facts(alerts_problem=ConfigurationError("rules.x: unknown", hint="Mend it.")),
            WARNING,
            "the defaults are in force",
        )
    ],
    Rule.MESSAGES_UNDELIVERED: [
        (lambda: facts(outbox=Outbox(2, problem="404")), WARNING, "The last answer: 404")
    ],
    Rule.MONITORING_BLIND: [
        (
            lambda: seen(unknown=(Unknown("tables", "public.bounty", "locked", "wait"),)),
            None,
            "",
        ),
        (
            lambda: seen(unknown=(Unknown("activity", "everything", "no rights", "GRANT it"),)),
            WARNING,
            "Do: GRANT it",
        ),
    ],
    Rule.MONITORING_LATE: [
        (lambda: facts(collection=m.measured(minutes=2), stored=()), None, ""),
        (lambda: facts(collection=m.measured(minutes=3), stored=()), WARNING, "vital signs"),
        (
            lambda: facts(
                collection=m.only(m.connections(), minutes=12),
                stored=(m.only(m.settings(), m.tables(), minutes=1),),
            ),
            CRITICAL,
            "vital signs",
        ),
    ],
    Rule.CONNECTIONS_NEAR_LIMIT: [
        (lambda: seen(m.connections(74)), None, ""),
        (lambda: seen(m.connections(75)), WARNING, "75 of 100"),
        (lambda: seen(m.connections(90)), CRITICAL, "Most by: web 90"),
    ],
    Rule.IDLE_IN_TRANSACTION: [
        (lambda: seen(m.activity(m.session(299, state="idle in transaction"))), None, ""),
        (
            lambda: seen(m.activity(m.session(300, state="idle in transaction"))),
            WARNING,
            "pg_terminate_backend(4711)",
        ),
        (
            lambda: seen(m.activity(m.session(900, state="idle in transaction (aborted)"))),
            CRITICAL,
            "idle within its transaction for 15 min",
        ),
    ],
    Rule.LONG_TRANSACTION: [
        (lambda: seen(m.activity(m.session(1, transaction_seconds=1_799))), None, ""),
        (lambda: seen(m.activity(m.session(1, transaction_seconds=1_800))), WARNING, "30 min"),
        (lambda: seen(m.activity(pausing(299))), WARNING, "30 min"),
        (lambda: seen(m.activity(pausing(300))), None, ""),  # idle_in_transaction tells of it
        (
            lambda: seen(m.activity(m.session(9_999, application="bounty-ops backup"))),
            None,
            "",
        ),
    ],
    Rule.LONG_QUERY: [
        (lambda: seen(m.activity(m.session(899))), None, ""),
        (lambda: seen(m.activity(m.session(900))), WARNING, "pg_cancel_backend(4711)"),
        (lambda: seen(m.activity(m.session(900, application="pg_dump"))), None, ""),
    ],
    Rule.BLOCKING: [
        (lambda: seen(m.activity(blocking=(m.blocked(59),))), None, ""),
        (lambda: seen(m.activity(blocking=(m.blocked(60),))), WARNING, "session 99 (web)"),
        (lambda: seen(m.activity(blocking=(m.blocked(300),))), CRITICAL, "2 sessions wait"),
        (
            lambda: seen(
                m.activity(blocking=(m.blocked(14, application="bounty-ops migrate (runner)"),))
            ),
            None,
            "",
        ),
        (
            lambda: seen(
                m.activity(
                    blocking=(
                        m.blocked(100, application="cron"),
                        m.blocked(15, application="bounty-ops migrate (runner)"),
                    )
                )
            ),
            CRITICAL,
            "our own migration",
        ),
    ],
    Rule.SLOW_QUERY_REGRESSION: [
        (lambda: regression(1.9, 0.5), None, ""),
        (lambda: regression(9.0, 0.04), None, ""),
        (lambda: regression(2.0, 0.05), WARNING, "usual (days before) is 1.0 s"),
    ],
    Rule.DEADLOCKS: [
        (lambda: seen(m.database(deadlocks=4)), None, ""),
        (lambda: seen(m.database(deadlocks=5)), WARNING, "40P01"),
    ],
    Rule.CACHE_HITS_LOW: [
        (lambda: seen(m.database(blocks_read=90_000)), None, ""),  # too few to say anything
        (
            lambda: seen(m.database(blocks_hit=10_100_000, blocks_read=201_000)),
            INFO,
            "33% of the blocks",
        ),
    ],
    Rule.TABLE_GROWTH: [
        (lambda: grown(1_000), None, ""),  # ten times as much, and still less than 1 GiB more
        (lambda: grown(1_200), WARNING, "public.bounty grew by 1.1 GiB"),
    ],
    Rule.VACUUM_LAG: [
        (lambda: seen(m.tables(m.table(dead_rows=49_999, dead_ratio_of_trigger=9))), None, ""),
        (
            lambda: seen(m.tables(m.table(dead_rows=50_000, dead_ratio_of_trigger=2))),
            WARNING,
            'VACUUM (VERBOSE) "public"."bounty"',
        ),
    ],
    Rule.TRANSACTION_IDS: [
        (lambda: seen(m.database(oldest_xid_age=1_000_000_000)), None, ""),
        (lambda: seen(m.database(oldest_xid_age=1_050_000_000)), WARNING, "50%"),
        (lambda: seen(m.database(oldest_mxid_age=1_600_000_000)), CRITICAL, "multixact ids"),
    ],
    Rule.SEQUENCE_EXHAUSTION: [
        (lambda: seen(m.sequences(m.sequence(0.74))), None, ""),
        (lambda: seen(m.sequences(m.sequence(0.76))), WARNING, "public.bounty.bounty_id_seq"),
        (lambda: seen(m.sequences(m.sequence(0.98))), CRITICAL, "98% of sequence"),
    ],
    Rule.LIMIT_IN_SIGHT: [
        (lambda: ahead("storage", 31), None, ""),
        (lambda: ahead("storage", 30), WARNING, "between 2026-12-22 and 2027-01-01"),
        (lambda: ahead("sequence", 3), WARNING, "sequence public.x reaches 80%"),
        (lambda: ahead("storage", told=Silence.REACHED), WARNING, "reaches 80% of its limit now"),
        # Other rules tell of these once they are reached.
        (lambda: ahead("connections", told=Silence.REACHED), None, ""),
        (lambda: ahead("storage", told=Silence.FAR), None, ""),
    ],
    Rule.INDEX_INVALID: [
        (lambda: seen(m.indexes(m.index(valid=False, building="scanning heap"))), None, ""),
        (
            lambda: seen(m.indexes(m.index(valid=False))),
            WARNING,
            'DROP INDEX CONCURRENTLY "public"."bounty_title_idx"',
        ),
    ],
    Rule.INDEX_UNUSED: [
        (lambda: seen(m.indexes(m.index(scans=0, bytes=m.GIB, unique=True))), None, ""),
        (lambda: seen(m.indexes(m.index(scans=0, bytes=m.MIB))), None, ""),
        (lambda: seen(m.indexes(m.index(scans=0, bytes=m.GIB))), INFO, "40 days"),
        (lambda: seen(m.indexes(m.index(scans=9, bytes=m.GIB))), INFO, "40 days"),
        (lambda: seen(m.indexes(m.index(scans=9, bytes=m.GIB), days=29)), None, ""),
    ],
    Rule.REPLICATION_LAG: [
        (lambda: seen(m.replication(standbys=(m.standby(29),))), None, ""),
        (lambda: seen(m.replication(standbys=(m.standby(30),))), WARNING, "replica is 30 s"),
        (lambda: seen(m.replication(standbys=(m.standby(300),))), CRITICAL, "behind"),
    ],
    Rule.REPLICATION_SLOT: [
        (lambda: unread(inactive_since=NOW - 14 * MINUTE), None, ""),
        (lambda: unread(inactive_since=NOW - 15 * MINUTE), WARNING, "is not read by anybody"),
        (lambda: unread(retained_bytes=10 * m.GIB), WARNING, "keeps 10 GiB"),
        (lambda: unread(wal_status="unreserved"), CRITICAL, "about to lose"),
        (lambda: unread(wal_status="lost"), CRITICAL, "has lost WAL"),
    ],
    Rule.BACKUP_OVERDUE: [
        (lambda: situation(backups=[backup(hours=26)]), None, ""),
        (lambda: situation(backups=[backup(hours=27)]), CRITICAL, "27.0 h old"),
    ],
    Rule.PROOF_OVERDUE: [
        (
            lambda: situation(backups=[backup(hours=1, verdict=Verdict.UNVERIFIED)]),
            CRITICAL,
            "proved",
        )
    ],
    Rule.BACKUP_REFUTED: [
        (
            lambda: situation(backups=[backup(verdict=Verdict.REFUTED)]),
            CRITICAL,
            "does not restore to what it was",
        )
    ],
    Rule.BACKUP_SIZE_ANOMALY: [
        (
            lambda: situation(
                backups=[backup(size_bytes=40 * m.MIB), *(backup(hours=24 * n) for n in (1, 2, 3))]
            ),
            WARNING,
            "60% smaller",
        )
    ],
    Rule.RESTORE_TOO_SLOW: [
        (lambda: situation(backups=[backup(restore_seconds=9_000)]), WARNING, "rto_minutes")
    ],
    Rule.COPY_OVERDUE: [
        (
            lambda: replace(situation(backups=[backup(hours=27)]), keeping=Keeping(copies={})),
            WARNING,
            "second bucket",
        )
    ],
    Rule.PRUNE_REFUSED: [
        (lambda: facts(keeping=Keeping(prune_refused="the clock")), WARNING, "no backup is pruned")
    ],
    Rule.BACKUP_NOT_LOCKED: [
        (
            lambda: facts(keeping=Keeping(unlocked={"key": "has no lock"}, newest_locked="b")),
            WARNING,
            "is not locked",
        )
    ],
    Rule.SCHEMA_DRIFT: [
        (lambda: facts(drift=Drift(NOW, ("column a.b: gone",))), WARNING, "column a.b: gone")
    ],
    Rule.MIGRATION_FAILED: [
        (
            lambda: facts(migrations=(failed_migration(), migration(2, NOW - MINUTE, None))),
            None,
            "",
        ),
        (lambda: facts(migrations=(failed_migration(),)), CRITICAL, "db history record-1"),
    ],
    Rule.MIGRATION_PENDING: [
        (
            lambda: facts(revision=Revision("bounty_0001", "bounty_0002", ("bounty_0002",))),
            WARNING,
            "Waiting: bounty_0002",
        )
    ],
    Rule.MIGRATION_OVERRIDE: [
        (lambda: facts(migrations=(migration(1, NOW, OVERRIDE),)), CRITICAL, "overrode")
    ],
    Rule.RUN_FAILED: [
        (lambda: dagster(LatestRun("nightly", "r1", failed=False, ended_at=NOW)), None, ""),
        (
            lambda: dagster(LatestRun("nightly", "r1", failed=True, ended_at=NOW, reason="disk")),
            WARNING,
            "the job nightly failed",
        ),
    ],
    Rule.AUTOMATION_DEAD: [
        (lambda: automation(failures_in_a_row=2), None, ""),
        (lambda: automation(last_tick_at=NOW - 3 * MINUTE), None, ""),
        (lambda: automation(last_tick_at=None, running_since=NOW - MINUTE), None, ""),
        (lambda: automation(failures_in_a_row=3, error="boom"), WARNING, "The last error: boom"),
        (lambda: automation(last_tick_at=NOW - 4 * MINUTE), WARNING, "has not ticked for 4 min"),
        (lambda: automation(last_tick_at=None), WARNING, "has not ticked for 60 min"),
    ],
}


def test_every_rule_is_there_with_defaults_and_an_example() -> None:
    assert set(RULES) == set(Rule) == set(DEFAULTS) == set(CASES)
    for rule, cases in CASES.items():
        assert any(severity is not None for _, severity, _ in cases), rule


@pytest.mark.parametrize(
    ("rule", "case"),
    [(rule, case) for rule, cases in CASES.items() for case in cases],
    ids=lambda value: value.value if isinstance(value, Rule) else "",
)
def test_a_rule_fires_at_what_it_is_for_and_says_what_to_do(
    rule: Rule, case: tuple[Callable[[], Situation], Severity | None, str]
) -> None:
    make, severity, words = case
    evaluation = evaluate(make())
    found = [each for each in evaluation.firing if each.rule is rule]
    if severity is None:
        assert found == []
        assert rule not in evaluation.undecided
        return
    (only,) = found
    assert only.severity is severity
    assert words in f"{only.title}\n{only.body}"
    assert only.title.startswith("[production] ")
    assert "\nDo: " in only.body


@pytest.mark.parametrize("tier", ["staging", "development"])
def test_only_production_has_everything_critical(tier: str) -> None:
    settings = AlertSettings.of("anything", Policy(), {"tier": tier})
    mild = [
        rule
        for rule in Rule
        if settings.rule(rule).severity != "critical" or not settings.rule(rule).enabled
    ]
    assert {Rule.SERVER_UNREACHABLE, Rule.BLOCKING, Rule.CONNECTIONS_NEAR_LIMIT} <= set(mild)
    assert (settings.tell == "nothing") is (tier == "development")


def test_a_newcomers_environment_without_a_backup_is_no_emergency() -> None:
    for tier, severity in (
        ("production", CRITICAL),
        ("staging", WARNING),
        ("development", WARNING),
    ):
        settings = AlertSettings.of("anything", Policy(protected=True), {"tier": tier})
        found = {
            each.rule: each.severity
            for each in evaluate(facts(alerts=settings, backups=())).findings
        }
        assert found[Rule.BACKUP_OVERDUE] is found[Rule.PROOF_OVERDUE] is severity, tier


def test_settings_have_the_last_word() -> None:
    settings = AlertSettings.of(
        "production",
        Policy(protected=True),
        {
            "rules": {
                "sequence_exhaustion": {"severity": "warning", "remedy": "Call Ada."},
                "deadlocks": {"enabled": False},
            }
        },
    )
    base = seen(m.sequences(m.sequence(0.98)), m.database(deadlocks=99))
    (found,) = evaluate(replace(base, alerts=settings)).findings
    assert found.severity is WARNING
    assert found.body.endswith("Do: Call Ada.")
    assert "98" in found.title


@pytest.mark.parametrize(
    ("blind", "rule", "subject"),
    [
        (seen(m.activity(hidden=3)), Rule.LONG_QUERY, "sessions"),
        (
            seen(m.sequences(m.sequence(None, name="secret_seq", readable=False))),
            Rule.SEQUENCE_EXHAUSTION,
            "public.secret_seq",
        ),
        (seen(m.replication(hidden=1)), Rule.REPLICATION_LAG, "standby x"),
        (seen(m.tables(m.table(dead_rows=None))), Rule.VACUUM_LAG, "public.bounty"),
        (
            seen(m.indexes(m.index(scans=0, bytes=m.GIB), days=29)),
            Rule.INDEX_UNUSED,
            "public.bounty_title_idx",
        ),
        (seen(m.database(stats_reset=NOW - MINUTE)), Rule.DEADLOCKS, "deadlocks"),
        (
            seen(m.indexes(m.index(valid=False), hidden_builds=1)),
            Rule.INDEX_INVALID,
            "public.bounty_title_idx",
        ),
        (
            replace(
                facts(collection=None, stored=()),
                policy=Policy(protected=True, monitor_wakes=False),
            ),
            Rule.MONITORING_LATE,
            "vitals",
        ),
    ],
)
def test_what_may_not_be_seen_is_unknown_and_not_healthy(
    blind: Situation, rule: Rule, subject: str
) -> None:
    evaluation = evaluate(blind)
    assert evaluation.unknown[rule].covers(subject)
    assert evaluation.unknown[rule].reason


def test_one_sequence_that_may_not_be_read_hides_no_other() -> None:
    both = m.sequences(m.sequence(0.98), m.sequence(None, name="secret_seq", readable=False))
    evaluation = evaluate(seen(both))
    assert [found.subject for found in evaluation.firing] == ["public.bounty_id_seq"]
    undecided = evaluation.unknown[Rule.SEQUENCE_EXHAUSTION]
    assert undecided.covers("public.secret_seq")
    assert not undecided.covers("public.third_seq")
