"""A throw-away cluster: private, complete, and gone afterwards in every way it can end."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded import sweep_leftovers, throwaway_cluster
from bounty_ops.embedded.processes import wait_until
from bounty_ops.errors import EmbeddedError
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import find_programs
from bounty_ops_tests.embedded.observing import (
    PATIENCE_SECONDS,
    kill_all,
    none_left,
    postmaster_of,
    processes_of,
    python,
    read_line,
)
from bounty_ops_tests.embedded.test_become import strategies
from bounty_ops_tests.fix_servers import oldest_and_newest_major

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs

_OWNER = """
import sys, time
from pathlib import Path
from bounty_ops.embedded import throwaway_cluster
from bounty_ops.postgres.programs import find_programs
with throwaway_cluster(find_programs(17, server=True), work_dir=Path(sys.argv[1])) as url:
    print(url.host, flush=True)
    while True:  # a signal just before one long sleep would be heard after it
        time.sleep(0.02)
"""


def ask(url: DatabaseUrl, question: str) -> object:
    with connect(url, application_name="tests") as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def clusters_in(work_dir: Path) -> list[Path]:
    return sorted(work_dir.glob("cluster-*"))


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_every_major_runs(major: int, tmp_path: Path) -> None:
    programs = find_programs(major, server=True)
    with throwaway_cluster(programs, work_dir=tmp_path, databases=["restored", 'a "b"']) as url:
        assert ask(url, "SELECT current_setting('server_version_num')::int / 10000") == major
        assert ask(url.with_database('a "b"'), "SELECT current_database()") == 'a "b"'
        assert ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
    assert clusters_in(tmp_path) == []
    assert not processes_of(tmp_path)


@pytest.mark.parametrize("strategy", [name for name in strategies() if name != "same"])
def test_it_runs_for_root_whatever_the_machine_allows(
    strategy: str, tmp_path: Path, pg_programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOUNTY_OPS_SERVER_USER", strategy)
    hidden = tmp_path / "home"
    hidden.mkdir(mode=0o700)
    with throwaway_cluster(pg_programs, work_dir=hidden / "work") as url:
        data = Path(str(ask(url, "SHOW data_directory")))
        assert data.stat().st_mode & 0o777 == 0o700
        assert data.is_relative_to(hidden) == (strategy == "namespace")
    assert not data.parent.exists()
    assert hidden.stat().st_mode & 0o777 == 0o700


def test_nobody_reaches_it_over_the_network(tmp_path: Path, pg_programs: Programs) -> None:
    with throwaway_cluster(pg_programs, work_dir=tmp_path) as url:
        assert ask(url, "SHOW listen_addresses") == ""
        assert url.host.startswith("/")
        assert Path(url.host).stat().st_mode & 0o777 == 0o700


def test_its_socket_stays_reachable_below_a_long_path(
    tmp_path: Path, pg_programs: Programs
) -> None:
    deep = tmp_path / ("a" * 60) / ("b, c" * 15)
    with throwaway_cluster(pg_programs, work_dir=deep) as url:
        assert ask(url, "SELECT 1") == 1
        assert len(url.host) < 100
    assert not Path(url.host).exists()
    assert clusters_in(deep) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.many(every=3)
def test_it_is_gone_after_an_exception(
    error: type[BaseException], tmp_path: Path, pg_programs: Programs
) -> None:
    with pytest.raises(error), throwaway_cluster(pg_programs, work_dir=tmp_path):
        raise error
    assert clusters_in(tmp_path) == []
    assert not processes_of(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.many(every=2)
def test_it_is_gone_after_the_death_of_its_owner(tmp_path: Path, number: signal.Signals) -> None:
    with python(_OWNER, tmp_path) as owner:
        assert read_line(owner).startswith("/")
        owner.send_signal(number)
        assert wait_until(lambda: clusters_in(tmp_path) == [], PATIENCE_SECONDS)
        assert none_left(tmp_path)


@pytest.mark.soak
def test_what_a_kill_of_owner_and_keeper_leaves_is_swept_by_the_next_start(
    tmp_path: Path, pg_programs: Programs
) -> None:
    with python(_OWNER, tmp_path) as owner:
        socket = read_line(owner)
        # All at once, as the kernel's memory killer or `docker kill` would.
        kill_all(processes_of(tmp_path))
        assert none_left(tmp_path)
    left = clusters_in(tmp_path)
    assert len(left) == 1
    with throwaway_cluster(pg_programs, work_dir=tmp_path) as url:
        assert left[0] not in clusters_in(tmp_path)
        assert url.host != socket
    assert sweep_leftovers(tmp_path) == 0


def test_an_orphaned_server_is_ended_before_its_files_are_swept(tmp_path: Path) -> None:
    with python(_OWNER, tmp_path) as owner:
        read_line(owner)
        server = postmaster_of(tmp_path)
        # Stopped, it cannot act on the signal that the death of its keeper sends.
        os.kill(server, signal.SIGSTOP)
        kill_all(set(processes_of(tmp_path)) - {server})
    # What was killed holds its locks until it is really gone.
    assert wait_until(lambda: processes_of(tmp_path) == [server], 30)
    assert sweep_leftovers(tmp_path) == 1
    assert clusters_in(tmp_path) == []
    assert none_left(tmp_path)


def test_a_running_neighbour_is_not_swept(tmp_path: Path, pg_programs: Programs) -> None:
    with throwaway_cluster(pg_programs, work_dir=tmp_path) as url:
        assert sweep_leftovers(tmp_path) == 0
        with throwaway_cluster(pg_programs, work_dir=tmp_path) as other:
            assert ask(other, "SELECT 1") == 1
        assert ask(url, "SELECT 1") == 1


def test_a_work_directory_that_does_not_exist_holds_no_leftovers(tmp_path: Path) -> None:
    assert sweep_leftovers(tmp_path / "nowhere") == 0


def test_a_work_directory_that_cannot_be_made_is_named(
    tmp_path: Path, pg_programs: Programs
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with (
        pytest.raises(EmbeddedError, match="file/work cannot be written") as caught,
        throwaway_cluster(pg_programs, work_dir=tmp_path / "file" / "work"),
    ):
        raise AssertionError
    assert caught.value.hint


def test_rows_of_a_failing_statement_do_not_reach_its_log(
    tmp_path: Path, pg_programs: Programs
) -> None:
    with throwaway_cluster(pg_programs, work_dir=tmp_path) as url:
        with pytest.raises(Exception, match="planted"):
            ask(url, "SELECT 'planted-in-a-row'::int")
        log = (clusters_in(tmp_path)[0] / "log").read_text("utf-8")
    assert "SELECT" not in log
