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
from bounty_ops.monitoring import Activity, Replication, collect
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
