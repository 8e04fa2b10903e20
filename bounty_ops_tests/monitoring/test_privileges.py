"""Whatever a role may see: no planted fault is reported healthy. It is found, or it is unknown."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import pytest

from bounty_ops.monitoring import (
    Activity,
    CollectionResult,
    Indexes,
    Replication,
    Sequences,
    Tables,
    collect,
)
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.monitoring.conftest import (
    Session,
    environment_of,
    eventually,
    execute,
    waiting_in_background,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl

SCHEMA = """
CREATE SEQUENCE nearly_used AS smallint;
CREATE SEQUENCE big; CREATE TABLE narrow (id integer DEFAULT nextval('big'));
CREATE TABLE bloated (name text PRIMARY KEY) WITH (autovacuum_enabled = off);
INSERT INTO bloated SELECT md5(g::text) FROM generate_series(1, 20000) AS g;
DELETE FROM bloated WHERE name > '1';
CREATE TABLE dead (id integer) WITH (autovacuum_enabled = off);
INSERT INTO dead SELECT generate_series(1, 20000); DELETE FROM dead WHERE id > 100;
SELECT setval('nearly_used', 32000), setval('big', 2100000000);
"""

ROLES = ("none", "pg_read_all_stats", "pg_monitor", "owner")
_NEARLY: Final = 0.9


def sequence(result: CollectionResult, name: str) -> str:
    sequences = result.family(Sequences)
    assert sequences is not None
    (found,) = [each for each in sequences.sequences if each.name == name]
    if found.used_ratio is None:
        return told(result, "sequences")
    return "found" if found.used_ratio > _NEARLY else "healthy"


def idle_in_transaction(result: CollectionResult) -> str:
    activity = result.family(Activity)
    assert activity is not None
    if any(each.state == "idle in transaction" for each in activity.sessions):
        return "found"
    if activity.longest_idle_in_transaction_seconds is None:
        return told(result, "activity")
    return "healthy"


def blocked(result: CollectionResult) -> str:
    activity = result.family(Activity)
    assert activity is not None
    return "found" if activity.blocked and activity.blocking else "healthy"


def old_view(result: CollectionResult) -> str:
    activity = result.family(Activity)
    assert activity is not None
    if any(each.xid_age >= 10 for each in activity.horizons):
        return "found"
    return told(result, "activity") if activity.oldest_xmin_age is None else "healthy"


def index_bloat(result: CollectionResult) -> str:
    indexes = result.family(Indexes)
    assert indexes is not None
    (found,) = [each for each in indexes.indexes if each.name == "bloated_pkey"]
    if found.bloat_bytes is None:
        return told(result, "indexes")
    return "found" if found.bloat_bytes > found.bytes / 2 else "healthy"


def dead_rows(result: CollectionResult) -> str:
    tables = result.family(Tables)
    assert tables is not None
    (found,) = [each for each in tables.tables if each.name == "dead"]
    if found.dead_rows is None:
        return told(result, "tables")
    return "found" if found.dead_rows > 10_000 else "healthy"


def inactive_slot(result: CollectionResult) -> str:
    replication = result.family(Replication)
    assert replication is not None
    return "found" if replication.slots_inactive else "healthy"


def told(result: CollectionResult, family: str) -> str:
    """A hole in the numbers counts as unknown only where it is told why and what to do."""
    because = [each for each in result.unknown if each.family == family]
    return "unknown" if any(each.reason and each.remedy for each in because) else "silent"


FAULTS: dict[str, Callable[[CollectionResult], str]] = {
    "a sequence nearly used": lambda result: sequence(result, "nearly_used"),
    "an int4 column fed by a bigint sequence": lambda result: sequence(result, "big"),
    "idle in transaction": idle_in_transaction,
    "a blocked session": blocked,
    "an old view": old_view,
    "bloat": index_bloat,
    "dead rows": dead_rows,
    "an inactive slot": inactive_slot,
}

#: What is unknown to whom; all the rest is found.
UNKNOWN: dict[str, set[str]] = {
    "none": set(FAULTS) - {"a blocked session", "dead rows", "an inactive slot"},
    "pg_read_all_stats": {*list(FAULTS)[:2], "bloat"},
    "pg_monitor": {*list(FAULTS)[:2], "bloat"},
    "owner": set(),
}


@contextlib.contextmanager
def planted(
    url: DatabaseUrl, owner: DatabaseUrl, open_session: Callable[..., Session]
) -> Iterator[None]:
    """Everything that is wrong, in one database of `owner`."""
    execute(url, "ALTER DATABASE {} OWNER TO {}", url.database, owner.user)
    execute(url, "GRANT ALL ON SCHEMA public TO {}", owner.user)
    execute(owner, SCHEMA)
    execute(owner, "VACUUM ANALYZE bloated")
    execute(url, "SELECT pg_create_physical_replication_slot('matrix', true)")
    try:
        holder = open_session(owner, autocommit="no", application_name="web")
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT * FROM narrow")
        for _ in range(12):
            execute(url, "SELECT pg_current_xact_id()")
        waiter, watcher = open_session(owner), open_session(url)
        with waiting_in_background(waiter, watcher, "ALTER TABLE narrow ADD COLUMN name text"):
            dead = "SELECT n_dead_tup > 10000 FROM pg_stat_user_tables WHERE relname = 'dead'"
            eventually(lambda: watcher.execute(dead).fetchone() == (True,))
            yield
    finally:
        execute(url, "SELECT pg_drop_replication_slot('matrix')")
        execute(url, "ALTER DATABASE {} OWNER TO CURRENT_USER", url.database)


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_no_planted_fault_is_healthy_whoever_looks(
    make_database: Callable[..., DatabaseUrl],
    make_role: Callable[..., DatabaseUrl],
    open_session: Callable[..., Session],
    major: int,
) -> None:
    url = make_database(major=major)
    owner = make_role(url)
    viewers = {
        "none": make_role(url),
        "pg_read_all_stats": make_role(url, "IN ROLE pg_read_all_stats"),
        "pg_monitor": make_role(url, "IN ROLE pg_monitor"),
        "owner": owner,
    }
    with planted(url, owner, open_session):
        verdicts = {
            role: judged(collect(environment_of(viewer, slow_query_seconds=0.000_001)))
            for role, viewer in viewers.items()
        }
    assert verdicts == {
        role: {fault: "unknown" if fault in UNKNOWN[role] else "found" for fault in FAULTS}
        for role in ROLES
    }


def judged(result: CollectionResult) -> dict[str, str]:
    return {fault: verdict(result) for fault, verdict in FAULTS.items()}


def test_of_a_database_without_faults_the_same_look_finds_none(
    fresh_database: DatabaseUrl,
) -> None:
    execute(
        fresh_database,
        "CREATE SEQUENCE nearly_used; CREATE SEQUENCE big; CREATE TABLE dead (id integer);"
        "CREATE TABLE bloated (name text PRIMARY KEY);"
        "INSERT INTO bloated SELECT md5(g::text) FROM generate_series(1, 2000) AS g",
    )
    execute(fresh_database, "VACUUM ANALYZE bloated")
    execute(fresh_database, "REINDEX TABLE bloated")
    assert set(judged(collect(environment_of(fresh_database))).values()) == {"healthy"}
