"""Whatever ends a restore: the target is as before, or the next run brings it back."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded.processes import wait_until
from bounty_ops.journal.restores import read_restores
from bounty_ops.postgres.connect import connect
from bounty_ops.restore import beside, swap
from bounty_ops_tests.embedded.observing import python, read_line
from bounty_ops_tests.fix_backups import run, sessions, value
from bounty_ops_tests.restore.restores import databases, new_name

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops_tests.restore.restores import Restores

ROWS = "SELECT count(*) FROM fruit"

#: Restores a backup, and stands still where it is told to.
PROGRAM = """
import signal, sys, time
from pathlib import Path
from bounty_ops.environments import DatabaseUrl, load_settings
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore import swap
from bounty_ops.restore.outcome import Watching
from bounty_ops.restore.plan import plan_restore
from bounty_ops.restore.restore import restore_backup
from bounty_ops.restore.target import choose_target

signal.signal(signal.SIGINT, signal.default_int_handler)
where, home, backup = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
settings = load_settings(home)
journal = Journal(ObjectStore(settings.require_object_store()))

def stand_still(*_):
    print("under way", flush=True)
    while True:  # a signal just before one long sleep would be heard after it
        time.sleep(0.02)

def step(what):
    if what.startswith(where):
        stand_still()

if where == "between":
    rename = swap._rename
    def renamed(connection, old, new):
        if "_restoring_" in old:
            stand_still()
        rename(connection, old, new)
    swap._rename = renamed

target = choose_target(settings, settings.default_environment)
manifest = journal.find(backup)
plan = plan_restore(manifest, target, journal)
restore_backup(
    plan, target, manifest, journal, operator="a test", digest=plan.digest, work_dir=home / "work",
    watching=Watching(step=step),
)
"""


@pytest.fixture
def fruit(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A small database."""
    run(fresh_database, "CREATE TABLE fruit AS SELECT generate_series(1, 100) AS number")
    return fresh_database


@pytest.mark.parametrize(
    ("where", "number"),
    [
        ("restoring", signal.SIGKILL),
        ("swapping", signal.SIGKILL),
        ("between", signal.SIGKILL),
        ("comparing", signal.SIGINT),
        ("between", signal.SIGINT),
    ],
)
@pytest.mark.many(every=2)
def test_a_restore_that_is_ended_half_way(
    fruit: DatabaseUrl,
    restores: Restores,
    s3_prefix: ObjectStoreSettings,
    tmp_path: Path,
    *,
    where: str,
    number: signal.Signals,
) -> None:
    manifest = restores.backups.take(fruit)
    run(fruit, "DELETE FROM fruit WHERE number > 7")
    target = restores.target(fruit)
    variables = {
        "DATABASE_URL": fruit.text(),
        "BACKUP_BUCKET": s3_prefix.location.uri(),
        "AWS_ENDPOINT_URL_S3": s3_prefix.endpoint_url or "",
        "AWS_ACCESS_KEY_ID": s3_prefix.access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": s3_prefix.secret_access_key or "",
        "AWS_DEFAULT_REGION": s3_prefix.region or "us-east-1",
    }
    with python(PROGRAM, where, str(tmp_path), manifest.id, environ=variables) as process:
        assert read_line(process) == "under way"
        process.send_signal(number)
        process.wait(timeout=30)

    names = databases(fruit, fruit.database)
    if number == signal.SIGINT:
        assert names == [fruit.database]
    elif where == "between":
        assert fruit.database not in names
    if fruit.database in names:
        assert value(fruit, ROWS) == 7
        assert wait_until(lambda: "bounty-ops restore" not in sessions(fruit), 30)

    plan = restores.plan(manifest, target)
    done = restores.carry_out(plan, manifest, target, plan.digest)

    assert done.done
    assert plan.way == ("finish" if fruit.database not in names else "beside")
    assert value(fruit, ROWS) == 100
    records = read_restores(restores.backups.store, backup_id=manifest.id)
    outcomes = [(one.outcome, one.way, one.digest_given) for one in records]
    interrupted = [("failed", "beside", True)] if number == signal.SIGINT else []
    assert outcomes == [("done", plan.way, True), *interrupted]
    assert done.old_database is not None
    assert databases(fruit, fruit.database) == [fruit.database, done.old_database]
    assert value(fruit.with_database(done.old_database), ROWS) == 7


def test_a_run_that_died_before_the_first_rename_is_undone(
    fruit: DatabaseUrl, restores: Restores
) -> None:
    manifest = restores.backups.take(fruit)
    target = restores.target(fruit)
    run_id = "20261122T020000Z-1a2b3c4d"
    name = beside.copy_name(fruit.database, run_id)
    copy = beside.Beside(
        name, fruit.database, "swapping", manifest.id, "d" * 64,
        beside.old_name(fruit.database, run_id),
    )  # fmt: skip
    with connect(fruit.with_database("postgres"), application_name="tests") as connection:
        beside.make_copy(connection, copy, {})
        connection.execute(f'ALTER DATABASE "{fruit.database}" ALLOW_CONNECTIONS false'.encode())

    plan = restores.plan(manifest, target)
    assert (plan.way, plan.state.reachable) == ("finish", False)
    done = restores.carry_out(plan, manifest, target, "d" * 64)

    assert (done.done, done.old_database) == (False, None)
    assert any("undone" in note for note in done.notes)
    [record] = read_restores(restores.backups.store, backup_id=manifest.id)
    assert (record.outcome, record.unfinished_backup_id) == ("finished", manifest.id)
    assert value(fruit, ROWS) == 100
    assert restores.restore(manifest, target).done
    assert name not in databases(fruit, fruit.database)


@pytest.mark.parametrize("length", [1, 30, 62, 63])
def test_long_names_of_databases_stay_apart(length: int) -> None:
    run_id = "20261122T020000Z-1a2b3c4d"
    names = {"ü" * (length // 2) + "a" * (length % 2), "ü" * (length // 2) + "b" * (length % 2)}
    made = {f(name, run_id) for name in names for f in (beside.copy_name, beside.old_name)}
    assert len(made) == 2 * len(names)
    assert all(len(name.encode()) <= 63 for name in made)


def test_databases_of_others_are_never_taken_for_ours(
    fruit: DatabaseUrl, restores: Restores
) -> None:
    target = restores.target(fruit.with_database(new_name()))
    server = fruit.with_database("postgres")
    theirs = f"{target.url.database}_restoring_20261122t020000z_1a2b3c4d"
    almost = f"{target.url.database}_restoring_soon"
    run(server, f"CREATE DATABASE {theirs}", f"COMMENT ON DATABASE {theirs} IS 'mine'")
    run(server, f"CREATE DATABASE {almost}")
    manifest = restores.backups.take(fruit)

    assert restores.restore(manifest, target).done

    assert {theirs, almost} <= set(databases(server, target.url.database))


@pytest.mark.soak
def test_a_session_that_nobody_agreed_to_end_stops_the_swap(
    fruit: DatabaseUrl, restores: Restores
) -> None:
    target = restores.target(fruit)
    server = fruit.with_database("postgres")
    name = beside.copy_name(fruit.database, "20261122T020000Z-1a2b3c4d")
    copy = beside.Beside(name, fruit.database, "filling", "x", "d" * 64, f"{fruit.database}_old")
    with (
        connect(server, application_name="tests") as connection,
        connect(target.url, application_name="an application") as application,
    ):
        beside.make_copy(connection, copy, {})
        with pytest.raises(Exception, match="is in use"):
            swap.swap(connection, copy, exists=True, end_sessions=False)
        assert application.execute("SELECT 1").fetchone() == (1,)
    assert value(fruit, ROWS) == 100
