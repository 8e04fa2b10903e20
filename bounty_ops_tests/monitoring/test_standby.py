"""A real standby: how far it is behind, seen from both sides."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops.embedded import ports
from bounty_ops.embedded.cluster import Cluster, running
from bounty_ops.embedded.privileges import server_user
from bounty_ops.monitoring import Activity, Indexes, Replication, collect, report
from bounty_ops_tests.fix_servers import running_server
from bounty_ops_tests.monitoring.conftest import Session, environment_of, eventually, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def pair(
    tmp_path_factory: pytest.TempPathFactory, pg_programs: Programs
) -> Iterator[tuple[DatabaseUrl, DatabaseUrl]]:
    """A primary server and a standby that follows it through a slot."""
    with running_server(pg_programs, tmp_path_factory.mktemp("primary")) as primary:
        directory = tmp_path_factory.mktemp("standby")
        user = server_user()
        place = user.place(directory)
        program = user.programs_directory(pg_programs.directory) / "pg_basebackup"
        subprocess.run(
            user.command([
                str(program), "--host", primary.host, "--port", str(primary.port),
                "--username", primary.user, "--pgdata", str(place / "data"), "--no-sync",
                "--write-recovery-conf", "--checkpoint=fast", "--create-slot", "--slot=follower",
            ]),
            env={"PGPASSWORD": primary.password or ""},
            cwd="/",
            check=True,
        )  # fmt: skip
        port = ports.choose(1)[0]
        settings = {
            "listen_addresses": ports.LOOPBACK,
            "unix_socket_directories": "",
            "hot_standby_feedback": "on",
            "wal_receiver_status_interval": "1",
            "port": str(port),
        }
        log = directory / "server.log"
        cluster = Cluster(
            pg_programs, user, place / "data", directory, log, lambda: settings,
            password=primary.password, remove=(place,),
        )  # fmt: skip
        with running(cluster):
            yield primary, replace(primary, port=port)


def replication_of(url: DatabaseUrl) -> Replication:
    replication = collect(environment_of(url), families=["replication"]).family(Replication)
    assert replication is not None
    return replication


def test_lag_is_seen_from_both_sides_and_goes(
    pair: tuple[DatabaseUrl, DatabaseUrl], open_session: Callable[..., Session]
) -> None:
    primary, standby = pair
    eventually(lambda: replication_of(primary).worst_lag_bytes == 0)
    at_rest = replication_of(standby)
    assert (at_rest.in_recovery, at_rest.receiving, at_rest.replay_lag_bytes) == (True, True, 0)
    assert at_rest.replay_lag_seconds == 0

    pause = open_session(standby)
    pause.execute("SELECT pg_wal_replay_pause()")
    execute(primary, "CREATE TABLE t AS SELECT generate_series(1, 10000)")
    eventually(lambda: (replication_of(standby).replay_lag_bytes or 0) > 100_000)
    eventually(lambda: (replication_of(primary).worst_lag_bytes or 0) > 100_000)
    behind = replication_of(primary)
    (follower,) = behind.standbys
    assert (follower.state, follower.slot) == ("streaming", "follower")
    assert behind.slots_inactive == 0

    pause.execute("SELECT pg_wal_replay_resume()")
    eventually(lambda: replication_of(standby).replay_lag_bytes == 0)
    eventually(lambda: replication_of(primary).worst_lag_bytes == 0)


def test_a_standby_can_be_measured_as_a_whole(pair: tuple[DatabaseUrl, DatabaseUrl]) -> None:
    primary, standby = pair
    execute(primary, "CREATE UNLOGGED TABLE swift (id serial)")
    there = "SELECT to_regclass('swift') IS NOT NULL"

    def arrived() -> bool:
        with psycopg.connect(**standby.conninfo(), autocommit=True) as session:  # type: ignore[arg-type] # libpq's words
            return session.execute(there).fetchone() == (True,)

    eventually(arrived)
    result = collect(environment_of(standby))
    assert "everything" not in {each.subject for each in result.unknown}


def test_a_query_at_the_standby_holds_vacuum_back_at_the_primary(
    pair: tuple[DatabaseUrl, DatabaseUrl], open_session: Callable[..., Session]
) -> None:
    primary, standby = pair
    report = open_session(standby, autocommit="no")
    report.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    report.execute("SELECT 1")

    def held() -> set[tuple[str, str]]:
        activity = collect(environment_of(primary), families=["activity"]).family(Activity)
        assert activity is not None
        execute(primary, "SELECT pg_current_xact_id()")
        return {(each.kind, each.name) for each in activity.horizons if each.xid_age >= 5}

    eventually(lambda: ("slot", "follower") in held())


def test_a_standby_without_a_slot_is_named_as_who_holds_vacuum_back(
    pair: tuple[DatabaseUrl, DatabaseUrl], open_session: Callable[..., Session]
) -> None:
    primary, standby = pair
    asking = open_session(standby, autocommit="no")
    asking.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    asking.execute("SELECT 1")

    def held() -> set[str]:
        activity = collect(environment_of(primary), families=["activity"]).family(Activity)
        assert activity is not None
        execute(primary, "SELECT pg_current_xact_id()")
        return {each.kind for each in activity.horizons if each.xid_age >= 5}

    def follow(slot: str) -> None:
        execute(standby, f"ALTER SYSTEM SET primary_slot_name = '{slot}'")
        execute(standby, "SELECT pg_reload_conf()")

    follow("")
    try:
        eventually(lambda: "standby" in held())
        asking.rollback()
    finally:
        follow("follower")
        eventually(lambda: replication_of(primary).slots_inactive == 0)


def test_a_report_of_a_standby_is_made_and_stores_no_verdict_on_use_of_indexes(
    pair: tuple[DatabaseUrl, DatabaseUrl],
) -> None:
    primary, standby = pair
    execute(primary, "CREATE TABLE IF NOT EXISTS looked (id int, a int)")
    execute(primary, "CREATE INDEX IF NOT EXISTS looked_a ON looked (a)")
    environment = environment_of(standby)

    def arrived() -> bool:
        indexes = collect(environment, families=["indexes"]).family(Indexes)
        return indexes is not None and "looked_a" in {each.name for each in indexes.indexes}

    eventually(arrived)
    first = collect(environment)
    second = collect(environment, former=first, memory=first.memory)
    kinds = {finding.kind for finding in report(second, environment.policy, [first])}
    assert "unused_indexes" not in kinds
    assert "index_use_unknown" in kinds
