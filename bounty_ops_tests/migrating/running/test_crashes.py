"""A migration that breaks off anywhere is finished by the next run, as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops.embedded import ports
from bounty_ops.embedded.cluster import SUPERUSER, Cluster, running
from bounty_ops.embedded.privileges import server_user
from bounty_ops.embedded.processes import wait_until
from bounty_ops.environments import DatabaseUrl
from bounty_ops.errors import BountyOpsError, EmbeddedError
from bounty_ops.migrating import plan_migration
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.live import schema_fingerprint
from bounty_ops.postgres.programs import find_programs
from bounty_ops_tests.fix_servers import _SETTINGS
from bounty_ops_tests.migrating.lines import environment
from bounty_ops_tests.migrating.running.cutting import Wire
from bounty_ops_tests.migrating.running.runners import Runner
from bounty_ops_tests.migrating.running.short_lines import (
    apart,
    connect,
    executes,
    move,
    short_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.migrating.lineage import Lineage

POLICY: dict[str, object] = {"lock_timeout_seconds": 5, "lock_attempts": 3}
ROWS = 12_000
PAGES = """
with op.get_context().autocommit_block():
    for page in range(1 if op.get_context().as_sql else 10):
        op.get_bind().execute(
            sa.text("UPDATE t SET c = coalesce(c, 0) + 1 WHERE id > :a AND id <= :b"),
            {"a": page * 1200, "b": page * 1200 + 1200})
"""
BODIES = (
    executes(
        "CREATE TABLE u (id int)",
        "ALTER TABLE t ADD c int",
        "INSERT INTO u SELECT id FROM t",
        "CREATE INDEX u_id ON u (id)",
    ),
    apart("CREATE INDEX CONCURRENTLY i1 ON t (b, id)"),
    apart("CREATE UNIQUE INDEX CONCURRENTLY i2 ON t (a, id)"),
    PAGES,
    executes("ALTER TABLE t ADD CONSTRAINT ck CHECK (c IS NOT NULL) NOT VALID"),
    executes("ALTER TABLE t VALIDATE CONSTRAINT ck"),
    apart("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY"),
    apart("REINDEX TABLE CONCURRENTLY t"),
    apart("DROP INDEX CONCURRENTLY i1", "ALTER TYPE mood ADD VALUE 'x'"),
    executes("DROP TABLE u", "COMMENT ON TABLE t IS 'done'"),
)
#: What is told of a run: that each of its statements begins, and that it ends.
TOLD = 48
#: The version and what every revision has done, in one snapshot.
STATE = """
    SELECT (SELECT max(version_num) FROM bounty_ops.alembic_version),
           (SELECT count(*) FROM pg_class WHERE relname = 'u'),
           (SELECT count(*) FROM pg_attribute WHERE attname = 'c'
                AND attrelid = (SELECT oid FROM pg_class WHERE relname = 't')),
           (SELECT count(*) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
                WHERE relname = 'i1' AND indisvalid),
           (SELECT count(*) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
                WHERE relname = 'i2' AND indisvalid),
           (SELECT coalesce(max(convalidated::int) + 1, 0) FROM pg_constraint
                WHERE conname = 'ck'),
           (SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE relname = 'p1'),
           (SELECT count(*) FROM pg_enum WHERE enumlabel = 'x')
"""


LEFT_OVER = {
    "SELECT count(*) FROM pg_index WHERE NOT indisvalid": 0,
    "SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)'": 0,
    "SELECT count(*) FROM t WHERE c = 1": ROWS,
    """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database =
       (SELECT oid FROM pg_database WHERE datname = current_database())""": 0,
}


class Server:
    """A server of this test's own, which may be crashed and started again."""

    def __init__(self, major: int, directory: Path) -> None:
        user, port = server_user(), ports.choose(1)[0]
        self._place = user.place(directory)
        self._cluster = Cluster(
            find_programs(major, server=True),
            user,
            self._place / "data",
            directory,
            directory / "server.log",
            # With commits that are not waited for, a crash takes back what the test prepared.
            lambda: {**_SETTINGS, "synchronous_commit": "on", "port": str(port)},
            password="crash",
        )
        self.url = DatabaseUrl(ports.LOOPBACK, port, "postgres", SUPERUSER, "crash")
        self._running = running(self._cluster)

    def start(self) -> None:
        self._running = running(self._cluster)
        self._running.__enter__()

    def stop(self) -> None:
        with suppress(EmbeddedError):  # it was ended by the test
            self._running.__exit__(None, None, None)

    def stop_at_once(self) -> None:
        """What `pg_ctl stop -m immediate` does; and start it again."""
        pid = int((self._cluster.data / "postmaster.pid").read_text("utf-8").splitlines()[0])
        os.kill(pid, signal.SIGQUIT)
        assert wait_until(lambda: not Path(f"/proc/{pid}").exists(), 60)
        self.stop()
        self.start()

    def crash(self) -> None:
        """End one of its processes: it ends all others, and recovers."""
        with suppress(psycopg.OperationalError), connect(self.url) as connection:
            row = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"
            ).fetchone()
            assert row is not None
            os.kill(row[0], signal.SIGKILL)
            connection.execute("SELECT pg_sleep(60)")  # until it has noticed

    def answers(self) -> bool:
        try:
            with connect(self.url):
                return True
        except Exception:  # noqa: BLE001 - whatever it says, not yet
            return False


@contextmanager
def _server(major: int, directory: Path) -> Iterator[Server]:
    server = Server(major, directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _prepare(server: Server, name: str) -> DatabaseUrl:
    with connect(server.url) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = server.url.with_database(name)
    with connect(url) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, a int, b text)")
        connection.execute(f"INSERT INTO t SELECT n, 0, 'b' || n FROM generate_series(1, {ROWS}) n")
        connection.execute("CREATE TABLE p (id int) PARTITION BY RANGE (id)")
        connection.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10)")
        connection.execute("CREATE TYPE mood AS ENUM ('a')")
    return url


def _terminate(url: DatabaseUrl, application: str) -> None:
    with connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = %s AND pid <> pg_backend_pid()",
            (application, url.database),
        )


def _break(kind: str, server: Server, url: DatabaseUrl, wire: Wire, runner: Runner) -> None:
    match kind:
        case "runner killed":
            runner.kill()
        case "its session ended":
            _terminate(url, "bounty-ops migrate (runner)")
        case "its lock's session ended":
            _terminate(url, "bounty-ops migrate")
        case "wire cut":
            wire.cut()
        case "server crashed":
            server.crash()
        case _:
            server.stop_at_once()


KINDS = (
    "runner killed",
    "its session ended",
    "its lock's session ended",
    "wire cut",
    "server crashed",
    "server stopped at once",
)


def _crash(
    kind: str, server: Server, url: DatabaseUrl, line: Lineage, chance: random.Random
) -> str | None:
    """Run a migration and break it off somewhere; returns what its runner said."""
    with Wire(url) as wire:
        # The plan names the address, so it is made over the same wire.
        plan = plan_migration(environment(wire.url, **POLICY), line)
        with Runner(wire.url, line.directory(), plan, POLICY) as runner:
            for _ in range(chance.randrange(TOLD)):
                if runner.next() is None or runner.outcome is not None:
                    break
            time.sleep(chance.random() ** 2 * 0.08)
            _break(kind, server, url, wire, runner)
            outcome = runner.wait()
    assert wait_until(server.answers, 60)
    return outcome


def _require_true_version(url: DatabaseUrl) -> None:
    """Require that everything up to the version is there, and what is one whole only then."""
    with connect(url) as connection:
        there = connection.execute("SELECT to_regclass('bounty_ops.alembic_version')").fetchone()
        if there == (None,):
            return
        state = connection.execute(STATE.encode()).fetchone()
        assert state is not None
        version, u, column, i1, i2, check, inherits, label = state
        at = 0 if version is None else int(version[-4:])
        if column:
            most = connection.execute("SELECT coalesce(max(c), 0) FROM t").fetchone()
            assert most in {(0,), (1,)}, most
            undone = connection.execute("SELECT count(*) FROM t WHERE c IS NULL").fetchone()
            assert at < 4 or undone == (0,), (state, undone)
    assert u == (1 <= at < 10), state
    assert column == (at >= 1), state
    assert i1 == 1 or not 2 <= at < 8, state
    assert i2 == 1 or at < 3, state
    assert check == (0 if at < 5 else 1 if at < 6 else 2), state
    assert inherits == 0 if at >= 7 else inherits == 1 or at == 6, state
    assert label == 1 if at >= 9 else label == 0 or at == 8, state


def _require_end(url: DatabaseUrl, line: Lineage, fingerprint: str) -> None:
    """Require what an undisturbed run leads to, and that nothing is left over."""
    assert schema_fingerprint(url) == fingerprint
    facts = read_facts(url, line)
    assert (facts.revision, facts.begun) == ("bounty_0010", ())
    assert len(facts.applied) == len(BODIES)
    with connect(url) as connection:
        for question, answer in LEFT_OVER.items():
            # The last session may be on its way out.
            deadline = time.monotonic() + 10
            while (found := connection.execute(question.encode()).fetchone()) != (answer,):
                assert time.monotonic() < deadline, (question, found)
                time.sleep(0.05)


def _again(url: DatabaseUrl, line: Lineage) -> None:
    """Run it once more, as an operator would; a server that just recovers is asked again."""
    for _ in range(3):
        try:
            move(url, line, None, **POLICY)
        except BountyOpsError as error:
            said = error
            time.sleep(0.5)
        else:
            return
    raise AssertionError(said)


@pytest.mark.parametrize(
    ("major", "trials"),
    [
        (17, 3),
        pytest.param(17, 6, marks=pytest.mark.soak),
        pytest.param(14, 120, marks=[pytest.mark.soak, pytest.mark.timeout(7200)]),
        pytest.param(18, 120, marks=[pytest.mark.soak, pytest.mark.timeout(7200)]),
    ],
)
def test_every_run_after_a_crash_leads_to_the_same_end(
    tmp_path: Path, major: int, trials: int
) -> None:
    chance = random.Random(major * 1000 + trials)  # noqa: S311 - a test's dice
    line = short_line(tmp_path, *BODIES)
    said: dict[str, int] = {}
    with _server(major, tmp_path / "server") as server:
        reference = _prepare(server, "reference")
        _again(reference, line)
        fingerprint = schema_fingerprint(reference)
        _require_end(reference, line, fingerprint)
        for trial in range(trials):
            url = _prepare(server, f"d{trial}")
            kind = KINDS[trial % len(KINDS)]
            for _ in range(1 + (chance.random() < 0.3)):
                outcome = _crash(kind, server, url, line, chance)
                said[f"{kind}: {(outcome or 'killed').partition(':')[0]}"] = (
                    said.get(f"{kind}: {(outcome or 'killed').partition(':')[0]}", 0) + 1
                )
                assert "RollbackError" not in (outcome or ""), outcome  # but what it is about
                _require_true_version(url)
            _again(url, line)
            _require_true_version(url)
            _require_end(url, line, fingerprint)
            with connect(server.url) as connection:
                connection.execute(f"DROP DATABASE d{trial} WITH (FORCE)".encode())
    print(said)  # noqa: T201 - how they ended, for whoever runs the soak
