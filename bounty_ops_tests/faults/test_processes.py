"""Every process that takes part is killed once: nothing half-done is seen, the next run works."""

from __future__ import annotations

import dataclasses
import os
import secrets
import signal
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import pytest

from bounty_ops.embedded import ports, seaweed
from bounty_ops.embedded.processes import wait_until
from bounty_ops.embedded.sharing import using
from bounty_ops.errors import ObjectStoreError, PostgresError
from bounty_ops.journal import Journal
from bounty_ops.journal.records import Manifest, Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore import restoring, verify
from bounty_ops_tests.embedded.observing import kill_all, processes_of
from bounty_ops_tests.fix_backups import Backups, run, sessions, value
from bounty_ops_tests.fix_servers import running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops.postgres.programs import Programs

#: Incompressible; an archive of it has several parts of a multipart upload.
LARGE = (
    "CREATE TABLE large AS SELECT g AS id, (SELECT string_agg(md5(random()::text || g || i), '')"
    " FROM generate_series(1, 40) i) AS body FROM generate_series(1, 16000) g"
)
HALF = 6 << 20


class Once:
    """Does something as soon as enough bytes have passed, once."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.done = False

    def __call__(self, count: int) -> None:
        if count >= HALF and not self.done:
            self.done = True
            self.work()


def descendants(name: str) -> list[int]:
    """Process ids of programs of this name that this process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            comm, _, rest = (entry / "stat").read_text("utf-8").partition(") ")
            if comm.endswith(f"({name}") and int(rest.split()[1]) == os.getpid():
                found.append(int(entry.name))
    return found


class Killer:
    """Kills every process of ours of a name, for the length of a block."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._kill)
        self.killed: set[int] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _kill(self) -> None:
        while not self._stop.is_set():
            for pid in descendants(self._name):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.killed.add(pid)


@pytest.fixture
def own_server(pg_programs: Programs, tmp_path: Path) -> Iterator[DatabaseUrl]:
    """A server that this test may treat badly, with something in it."""
    with running_server(pg_programs, tmp_path / "source") as server:
        run(server, "CREATE DATABASE source")
        url = server.with_database("source")
        # What is on disk survives the crash; servers for tests do not wait for that at a commit.
        run(url, LARGE, "CHECKPOINT")
        yield url


def answers(url: DatabaseUrl) -> bool:
    try:
        return bool(value(url, "SELECT true"))
    except PostgresError:
        return False


def test_the_sources_server_that_crashes_half_way(
    own_server: DatabaseUrl, backups: Backups
) -> None:
    def crash() -> None:
        # One process of it killed: the server ends all others and recovers.
        pid = value(
            own_server.with_database("postgres"),
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'",
        )
        os.kill(pid, signal.SIGKILL)

    with pytest.raises(PostgresError):
        backups.take(own_server, progress=Once(crash), compression="none")

    assert backups.journal.summaries() == []
    assert backups.left_over() == []
    assert wait_until(lambda: answers(own_server), 60)
    assert not any("bounty-ops" in name for name in sessions(own_server))

    manifest = backups.take(own_server)

    assert backups.verify(manifest).verdict is Verdict.PROVED
    assert backups.left_over() == []


@pytest.mark.soak
def test_the_sources_server_that_is_stopped_at_once_half_way(
    own_server: DatabaseUrl, backups: Backups
) -> None:
    data = Path(value(own_server, "SHOW data_directory"))

    def stop() -> None:
        pid = int((data / "postmaster.pid").read_text("utf-8").splitlines()[0])
        os.kill(pid, signal.SIGQUIT)

    with pytest.raises(PostgresError):
        backups.take(own_server, progress=Once(stop), compression="none")

    assert backups.journal.summaries() == []
    assert backups.left_over() == []


@pytest.mark.soak
def test_pg_restore_killed_again_and_again_finds_nothing_out(
    zoo: DatabaseUrl, backups: Backups
) -> None:
    manifest = backups.take(zoo)

    with Killer("pg_restore") as killer:
        proof = backups.verify(manifest)

    assert killer.killed
    assert proof.verdict is Verdict.INCONCLUSIVE
    assert proof.reason is not None
    assert "SIGKILL" in proof.reason
    assert list(backups.work_dir.glob("[cv]*-*")) == []
    assert backups.verify(manifest).verdict is Verdict.PROVED
    [summary] = backups.journal.summaries()
    assert summary.verdict is Verdict.PROVED


@pytest.mark.soak
def test_the_throw_away_server_that_crashes_under_the_restore_finds_nothing_out(
    zoo: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = backups.take(zoo)
    real = restoring.restore_archive

    def crash_first(programs: Any, place: Any, fetched: Any, *, jobs: int) -> None:  # noqa: ANN401
        pid = value(
            place.url, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
        )
        threading.Timer(0.15, kill_all, [[pid]]).start()
        real(programs, place, fetched, jobs=jobs)

    monkeypatch.setattr(verify, "restore_archive", crash_first)
    proof = backups.verify(manifest)
    monkeypatch.undo()

    assert proof.verdict is not Verdict.REFUTED, proof.differences
    assert backups.verify(manifest).verdict is Verdict.PROVED


def some_ports() -> dict[str, int]:
    chosen = ports.choose(len(seaweed.COMPONENTS), pairs=True)
    return dict(zip(seaweed.COMPONENTS, chosen, strict=True))


def store_in(directory: Path) -> seaweed.Seaweed:
    names = ("test-" + secrets.token_hex(8), secrets.token_urlsafe(24))
    return seaweed.Seaweed(directory / "data", directory / "weed.log", some_ports(), *names)


def impatient(settings: ObjectStoreSettings) -> ObjectStore:
    return ObjectStore(settings, patience_seconds=0)


@pytest.mark.soak
def test_a_store_that_is_killed_half_way_keeps_what_was_whole(
    own_server: DatabaseUrl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bounty_ops.object_store.client.ATTEMPTS", 2)
    directory = tmp_path / "s3"
    directory.mkdir(mode=0o700)
    server = store_in(directory)
    with using(directory, seaweed.NAME, prepare=server.program, wait_ready=server.wait_ready):
        backups = Backups(Journal(impatient(server.settings())), tmp_path / "verify")
        first = backups.take(own_server)

        def kill() -> None:
            kill_all(processes_of(directory))

        with pytest.raises(ObjectStoreError):
            backups.take(own_server, progress=Once(kill), compression="none")

    again = dataclasses.replace(server, ports=some_ports())
    with using(directory, seaweed.NAME, prepare=again.program, wait_ready=again.wait_ready):
        backups = Backups(Journal(impatient(again.settings())), tmp_path / "verify")
        assert [one.id for one in backups.journal.summaries()] == [first.id]

        second = backups.take(own_server)

        assert backups.left_over() == []
        assert backups.verify(second).verdict is Verdict.PROVED
        assert backups.verify(first).verdict is Verdict.PROVED


class _Killed(BaseException):
    """Stands for SIGKILL: nothing after it is done."""


class _DiesBeforeTheManifest(Journal):
    """A journal whose process ends right before it writes a manifest."""

    def write_manifest(self, manifest: Manifest) -> NoReturn:
        raise _Killed(manifest.id)


class _ClearsNothing(ObjectStore):
    """A store for a process that is dead when it should clear away."""

    def delete(self, key: str) -> None:
        pass

    def delete_versions(self, key: str) -> None:
        pass


def test_a_process_that_dies_between_archive_and_manifest_leaves_no_backup(
    zoo: DatabaseUrl, backups: Backups
) -> None:
    dying = _DiesBeforeTheManifest(_ClearsNothing(backups.store._settings))

    with pytest.raises(_Killed):
        dataclasses.replace(backups, journal=dying).take(zoo)

    assert backups.journal.summaries() == []
    [archive] = backups.keys()
    assert archive.endswith("archive.dump")

    manifest = backups.take(zoo)

    assert [one.id for one in backups.journal.summaries()] == [manifest.id]
    # It is young, and could be another machine's that is about to write its manifest.
    assert archive in backups.left_over()
    later = datetime.now(UTC) + timedelta(hours=21)
    backups.journal.clear_abandoned(backups.environment, now=later)
    assert backups.left_over() == []
