"""What the families of the whole server tell, and when they are silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from pydantic import BaseModel

from bounty_ops.environments import Policy
from bounty_ops.monitoring import (
    Activity,
    Database,
    Finding,
    Replication,
    Sequences,
    ServerSettings,
    Severity,
    report,
)
from bounty_ops.monitoring.collectors.activity import LongSession
from bounty_ops.monitoring.collectors.blocking import Blocking
from bounty_ops.monitoring.collectors.horizons import Horizon
from bounty_ops.monitoring.collectors.replication import Slot, Standby
from bounty_ops.monitoring.collectors.sequences import SequenceFacts
from bounty_ops.monitoring.collectors.settings import Setting
from bounty_ops_tests.monitoring.advice.examples import NOW, collection, index, indexes

if TYPE_CHECKING:
    from bounty_ops.monitoring.result import FamilyResult

M = TypeVar("M", bound=BaseModel)
LONG_AGO = NOW - timedelta(days=40)


def _model(kind: type[M], /, **facts: Any) -> M:  # noqa: ANN401 - whatever the model holds
    """A healthy one: numbers are 0, lists empty, texts `x`, and what may be None is."""
    values: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        text = str(field.annotation)
        if "None" in text:
            values[name] = None
        elif "tuple" in text:
            values[name] = ()
        elif "bool" in text:
            values[name] = False
        elif "datetime" in text:
            values[name] = LONG_AGO
        else:
            values[name] = "x" if "str" in text else 0
    return kind.model_validate({**values, **facts})


def _found(*families: FamilyResult, before: FamilyResult | None = None) -> list[Finding]:
    history = [] if before is None else [collection(before, days_ago=2)]
    return report(collection(*families), Policy(), history)


def _database(**facts: Any) -> Database:  # noqa: ANN401 - whatever the model holds
    return _model(Database, **{"xid_limit": 2_000_000_000, "mxid_limit": 2_000_000_000, **facts})


@pytest.mark.parametrize(
    ("facts", "kind", "severity"),
    [
        ({}, None, None),
        ({"oldest_xid_age": 999_999_999}, None, None),
        ({"oldest_xid_age": 1_000_000_000}, "transaction_ids", Severity.WARNING),
        ({"oldest_mxid_age": 1_500_000_000}, "transaction_ids", Severity.CRITICAL),
        ({"checksum_failures": 1}, "checksum_failure", Severity.CRITICAL),
        ({"last_archive_failure_at": NOW, "last_archived_at": LONG_AGO}, "archiving_failed",
         Severity.CRITICAL),
        ({"last_archive_failure_at": LONG_AGO, "last_archived_at": NOW}, None, None),
        ({"blocks_hit": 970_000, "blocks_read": 30_000}, "cache_hits", Severity.INFO),
        ({"blocks_hit": 97, "blocks_read": 3}, None, None),
        ({"checkpoints_timed": 9, "checkpoints_requested": 11}, "checkpoints_requested",
         Severity.INFO),
        ({"deadlocks": 1000}, None, None),  # since nobody knows when
        ({"deadlocks": 40, "stats_reset": LONG_AGO}, "deadlocks", Severity.INFO),
        ({"deadlocks": 39, "stats_reset": LONG_AGO}, None, None),
        ({"temp_bytes": 40 << 30, "stats_reset": LONG_AGO}, "temporary_files", Severity.INFO),
    ],
)  # fmt: skip
def test_the_databases_counters_are_judged_over_a_time_that_is_known(
    facts: dict[str, Any], kind: str | None, severity: Severity | None
) -> None:
    found = [(finding.kind, finding.severity) for finding in _found(_database(**facts))]
    assert found == ([] if kind is None else [(kind, severity)])


def test_counters_are_judged_since_an_earlier_collection_unless_they_were_emptied() -> None:
    then = _database(deadlocks=1000, stats_reset=LONG_AGO)
    assert not _found(_database(deadlocks=1001, stats_reset=LONG_AGO), before=then)
    (finding,) = _found(_database(deadlocks=1002, stats_reset=LONG_AGO), before=then)
    assert "2 deadlocks within 48" in finding.title or "2 deadlocks within 2 days" in finding.title
    emptied = _database(deadlocks=5, stats_reset=NOW - timedelta(days=1))
    (finding,) = _found(emptied, before=then)
    assert "5 deadlocks" in finding.title


def _sequence(ratio: float | None, **facts: Any) -> Sequences:  # noqa: ANN401 - of the model
    values = {"schema_name": "public", "name": "t_id_seq", "readable": True, "last_value": 9}
    one = _model(SequenceFacts, **{**values, "used_ratio": ratio, **facts})
    return _model(Sequences, sequences=(one,))


@pytest.mark.parametrize(
    ("ratio", "severity"),
    [(None, None), (0.74, None), (0.75, Severity.WARNING), (0.9, Severity.CRITICAL)],
)
def test_sequences_near_their_end(ratio: float | None, severity: Severity | None) -> None:
    found = [finding.severity for finding in _found(_sequence(ratio))]
    assert found == ([] if severity is None else [severity])


def test_the_column_is_widened_where_it_is_what_is_full() -> None:
    column = {"column": "public.t.id", "column_type": "integer", "column_limit": 2**31 - 1}
    (finding,) = _found(_sequence(0.98, **column, sequence_limit=2**63 - 1))
    assert finding.remedy.startswith('ALTER TABLE "public"."t" ALTER COLUMN "id" TYPE bigint;')
    assert "which feeds public.t.id" in finding.title
    # Of a name with a dot it cannot be told where the schema's ends.
    column["column"] = "public.t.of.id"
    (finding,) = _found(_sequence(0.98, **column, sequence_limit=2**63 - 1))
    assert finding.remedy.startswith("Make the column public.t.of.id a bigint, then ALTER SEQUENCE")


def _slot(**facts: Any) -> Replication:  # noqa: ANN401 - whatever the model holds
    values = {"name": "it's", "kind": "physical", "active": False}
    return _model(Replication, slots=(_model(Slot, **{**values, **facts}),))


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        ({"active": True}, None),
        ({"inactive_since": NOW - timedelta(minutes=14)}, None),
        ({"inactive_since": NOW - timedelta(minutes=15)}, Severity.WARNING),
        ({}, Severity.WARNING),  # before 17 nobody knows since when
        ({"active": True, "retained_bytes": 10 << 30}, Severity.WARNING),
        ({"wal_status": "unreserved"}, Severity.CRITICAL),
        ({"active": True, "wal_status": "lost"}, Severity.CRITICAL),
    ],
)
def test_slots_that_keep_wal_for_nobody(facts: dict[str, Any], severity: Severity | None) -> None:
    found = _found(_slot(**facts))
    assert [finding.severity for finding in found] == ([] if severity is None else [severity])
    assert all("pg_drop_replication_slot('it''s')" in finding.remedy for finding in found)


@pytest.mark.parametrize(
    ("seconds", "behind", "found"), [(299, 1, 0), (300, 1, 1), (0, 1 << 30, 1)]
)
def test_followers_that_are_behind(seconds: float, behind: int, found: int) -> None:
    standby = _model(Standby, lag_seconds=seconds, lag_bytes=behind)
    assert len(_found(_model(Replication, standbys=(standby,)))) == found


def test_settings_that_endanger_data_or_wait_for_a_restart() -> None:
    settings = [
        _model(Setting, name="fsync", value="off"),
        _model(Setting, name="full_page_writes", value="on"),
        _model(Setting, name="shared_buffers", value="1", pending_restart=True),
    ]
    found = _found(_model(ServerSettings, settings=tuple(settings)))
    assert [finding.kind for finding in found] == ["unsafe_setting", "settings_pending"]
    assert "ALTER SYSTEM SET fsync = on" in found[0].remedy
    assert found[1].evidence == "shared_buffers"


def test_a_blocking_tree_is_one_finding_and_its_waiters_are_none() -> None:
    tree = _model(
        Blocking, blocker_pid=11, user="app", state="idle in transaction", seconds=300,
        statement="UPDATE bounty SET title = ?", blocked_pids=(12, 13), depth=2,
    )  # fmt: skip
    waiter = _model(LongSession, pid=12, state="active", seconds=290)
    idle = _model(LongSession, pid=11, state="idle in transaction", seconds=301)
    found = _found(_model(Activity, blocking=(tree,), sessions=(waiter, idle)))
    assert [finding.kind for finding in found] == ["blocked_query", "idle_in_transaction"]
    assert found[0].severity is Severity.CRITICAL
    assert "2 sessions have been waiting" in found[0].title
    assert "pg_terminate_backend(11)" in found[0].remedy


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"seconds": 1799, "xid_age": 19_999_999}, 0),
        ({"seconds": 1800}, 1),
        ({"xid_age": 20_000_000}, 1),
    ],
)
def test_who_holds_vacuum_back(facts: dict[str, Any], found: int) -> None:
    horizon = _model(Horizon, **{"kind": "backend", "name": "pid 11", **facts})
    findings = _found(_model(Activity, horizons=(horizon,)))
    assert len(findings) == found
    assert all("pg_terminate_backend(11)" in finding.remedy for finding in findings)


def test_prepared_transactions_that_nobody_finishes() -> None:
    assert not _found(_model(Activity, prepared=1, oldest_prepared_seconds=899))
    (finding,) = _found(_model(Activity, prepared=1, oldest_prepared_seconds=900))
    assert "ROLLBACK PREPARED" in finding.remedy


HERE = _model(Replication)


@pytest.mark.parametrize(
    ("replication", "days_counted", "unscanned", "claimed"),
    [
        (HERE, 30, None, True),
        (HERE, 29, None, False),
        (HERE, None, None, False),
        (HERE, None, NOW - timedelta(days=30), True),
        (HERE, None, NOW - timedelta(days=29), False),
        (None, 300, LONG_AGO, False),
        (_model(Replication, in_recovery=True), 300, LONG_AGO, False),
        (_model(Replication, standbys=(_model(Standby),)), 300, LONG_AGO, False),
        (_slot(active=True), 300, LONG_AGO, False),
    ],
)
def test_an_index_is_called_unused_only_when_that_is_known(
    replication: Replication | None,
    days_counted: float | None,
    unscanned: datetime | None,
    claimed: bool,
) -> None:
    idle = indexes(index("a", unscanned_since=unscanned), days_counted=days_counted)
    families: list[FamilyResult] = [idle] if replication is None else [idle, replication]
    (finding,) = _found(*families)
    assert finding.kind == ("unused_indexes" if claimed else "index_use_unknown")
    assert finding.severity is (Severity.INFO if claimed else Severity.UNKNOWN)
    assert ("DROP INDEX" in finding.remedy) is claimed


def test_an_invalid_index_may_be_being_built_by_somebody_who_cannot_be_seen() -> None:
    broken = indexes(index("a", valid=False))
    (finding,) = _found(broken)
    assert finding.severity is Severity.WARNING
    (finding,) = _found(broken.model_copy(update={"hidden_builds": 1}))
    assert finding.severity is Severity.UNKNOWN


@pytest.mark.parametrize(
    ("size", "bloat", "found"),
    [(160 << 20, 100 << 20, 1), (180 << 20, 100 << 20, 0), (160 << 20, 99 << 20, 0),
     (160 << 20, None, 0)],
)  # fmt: skip
def test_bloat_is_told_where_a_rebuild_gives_much_back(
    size: int, bloat: int | None, found: int
) -> None:
    fat = index("a", scans=1, bytes=size, bloat_bytes=bloat, entry_bytes=20.0)
    findings = _found(indexes(fat))
    assert [finding.kind for finding in findings] == ["bloated_index"] * found
    assert all(finding.remedy.startswith("REINDEX INDEX CONC") for finding in findings)
