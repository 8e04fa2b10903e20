"""Servers of our own stand in for what is not set, and survive whatever happened before."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded import ports, stand_in
from bounty_ops.embedded.processes import wait_until
from bounty_ops.embedded.state import State
from bounty_ops.environments import DatabaseUrl, load_settings
from bounty_ops.errors import AuthenticationFailed, EmbeddedError, PostgresError
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.embedded.observing import (
    PATIENCE_SECONDS,
    command_lines,
    kill_all,
    none_left,
    postmaster_of,
    processes_of,
    python,
    read_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import Settings

_USER = """
import sys, time
from pathlib import Path
from bounty_ops.embedded import stand_in
from bounty_ops.environments import load_settings
with stand_in(load_settings(Path(sys.argv[1]), {}), bucket=len(sys.argv) > 2) as settings:
    print(settings.environment().url.port, flush=True)
    time.sleep(1000)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose servers were made once; most tests start and stop them again."""
    project = tmp_path_factory.mktemp("project")
    with stand_in(load_settings(project, {})) as settings:
        run(settings, "CREATE TABLE kept AS SELECT 42 AS answer")
    return project


@pytest.fixture
def settings(made: Path) -> Iterator[Settings]:
    yield load_settings(made, {})
    assert none_left(made)


def run(settings: Settings, statement: str) -> None:
    with connect(settings.environment().require_url(), application_name="tests") as connection:
        connection.execute(statement)


def ask(url: DatabaseUrl, question: str) -> object:
    with connect(url, application_name="tests") as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def answer(settings: Settings) -> object:
    return ask(settings.environment().require_url(), "SELECT answer FROM kept")


def test_everything_that_is_missing_is_there(settings: Settings) -> None:
    with stand_in(settings) as complete:
        assert answer(complete) == 42
        assert ask(complete.require_ops_url(), "SELECT current_user") == "bounty_ops"
        ObjectStore(complete.require_object_store()).check()
        assert complete.environment().require_url().database == "bounty"
        assert complete.require_object_store().location.bucket == "bounty-backups"


def test_the_settings_are_left_as_they_were(settings: Settings) -> None:
    before = dataclasses.replace(settings)
    with stand_in(settings, bucket=False):
        assert settings == before
        assert settings.ops_url is None


def test_only_what_is_needed_is_started(settings: Settings, made: Path) -> None:
    with stand_in(settings, database=False, ops=False) as complete:
        assert complete.ops_url is None
        assert not complete.environment().configured
        assert "postgres" not in command_lines(processes_of(made))
        endpoint = complete.require_object_store().endpoint_url or ""
        left = Path(f"/tmp/seaweedfs-s3-{endpoint.rpartition(':')[2]}.sock")  # noqa: S108 - its own choice
        assert wait_until(left.is_socket, PATIENCE_SECONDS)
    assert wait_until(lambda: not left.exists(), PATIENCE_SECONDS)
    with stand_in(settings, bucket=False) as complete:
        assert complete.object_store is None
        assert "weed" not in command_lines(processes_of(made))


def test_what_is_set_is_used_and_nothing_is_started(tmp_path: Path) -> None:
    variables = {
        "DATABASE_URL": "postgresql://a:b@db.example/bounty",
        "OPS_DATABASE_URL": "postgresql://a:b@ops.example/ops",
        "BACKUP_BUCKET": "s3://theirs/prefix",
    }
    settings = load_settings(tmp_path, variables)
    with stand_in(settings) as complete:
        assert complete == settings
    assert not (tmp_path / ".bounty-ops").exists()


@pytest.mark.parametrize(
    "variables",
    [
        {"DATABASE_URL": "postgresql://broken:pass@word@host/db"},
        {"BOUNTY_ENV": "production"},
    ],
)
def test_nothing_stands_in_for_a_wrong_setting_or_another_environment(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    settings = load_settings(tmp_path, variables)
    with stand_in(settings, ops=False, bucket=False) as complete:
        assert complete == settings
    assert not processes_of(tmp_path)


def test_each_role_gets_into_its_own_databases_only(settings: Settings) -> None:
    with stand_in(settings, bucket=False) as complete:
        ours, theirs = complete.require_ops_url(), complete.environment().require_url()
        assert ask(ours.with_database("dagster"), "SELECT 1") == 1
        assert ask(theirs, "SELECT pg_has_role('bounty', 'pg_monitor', 'member')") is True
        for url in (ours.with_database("bounty"), theirs.with_database("bounty_ops")):
            with pytest.raises(PostgresError):
                ask(url, "SELECT 1")
        with pytest.raises(AuthenticationFailed):
            ask(dataclasses.replace(theirs, password="guessed"), "SELECT 1")


def test_it_listens_on_the_loopback_address_only(settings: Settings, made: Path) -> None:
    with stand_in(settings) as complete:
        addresses = set(_listening(processes_of(made)))
        assert addresses == {"0100007F"}  # 127.0.0.1 as /proc/net/tcp writes it
        assert ask(complete.require_ops_url(), "SHOW listen_addresses") == ports.LOOPBACK


def _listening(pids: list[int]) -> Iterator[str]:
    from pathlib import Path  # noqa: PLC0415 - elsewhere only needed for annotations

    inodes = set()
    for pid in pids:
        with suppress(OSError):  # a process that has ended, such as that of a session
            for entry in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    inodes.add(os.readlink(entry))  # noqa: PTH115 - a magic link
    assert not [
        line
        for line in Path("/proc/net/tcp6").read_text("utf-8").splitlines()[1:]
        if line.split()[3] == "0A" and f"socket:[{line.split()[9]}]" in inodes
    ]
    for line in Path("/proc/net/tcp").read_text("utf-8").splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
            yield fields[1].split(":")[0]


def test_no_password_is_in_any_argv_or_log(settings: Settings, made: Path) -> None:
    state = State(made / ".bounty-ops")
    secrets = state.secrets()
    values = [
        value
        for name, value in dataclasses.asdict(secrets).items()
        if name not in {"identity", "s3_access_key_id"}
    ]
    with stand_in(settings) as complete:
        wrong = dataclasses.replace(complete.require_ops_url(), password="guessed")
        with pytest.raises(AuthenticationFailed):
            ask(wrong, "SELECT 1")
        seen = command_lines(processes_of(made))
    assert "postgres" in seen
    assert "weed" in seen
    logs = [path for path in (*state.logs.iterdir(), *state.run.iterdir()) if path.is_file()]
    assert len(logs) > 4
    seen += "".join(path.read_text("utf-8", "replace") for path in logs)
    for value in values:
        assert value not in seen


@pytest.mark.soak
def test_commands_share_servers_and_the_first_may_leave_first(settings: Settings) -> None:
    with ExitStack() as first, ExitStack() as second:
        one = first.enter_context(stand_in(settings))
        two = second.enter_context(stand_in(settings))
        assert one == two
        first.close()
        assert answer(two) == 42
        ObjectStore(two.require_object_store()).check()


@pytest.mark.soak
def test_data_survives_a_kill_of_everything(settings: Settings, made: Path) -> None:
    store_key = "kept/object"
    with stand_in(settings) as complete:
        ObjectStore(complete.require_object_store()).put_if_absent(store_key, b"42")
    with python(_USER, made, "bucket") as user:
        read_line(user)
        kill_all(processes_of(made))
        assert none_left(made)
    with stand_in(settings) as complete:
        assert answer(complete) == 42
        store = ObjectStore(complete.require_object_store())
        assert store.get(store_key) == b"42"
        store.delete(store_key)


@pytest.mark.soak
def test_a_reused_pid_in_the_lock_file_is_no_obstacle(settings: Settings, made: Path) -> None:
    with python(_USER, made) as user:
        read_line(user)
        kill_all(processes_of(made))
        assert none_left(made)
    pid_file = made / ".bounty-ops" / "cluster" / "data" / "postmaster.pid"
    lines = pid_file.read_text("utf-8").split("\n")
    # Now this pid belongs to somebody who lives and has nothing to do with PostgreSQL.
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]), encoding="utf-8")
    with stand_in(settings, bucket=False) as complete:
        assert answer(complete) == 42


def test_a_stopped_orphan_is_ended_before_the_next_start(settings: Settings, made: Path) -> None:
    with python(_USER, made) as user:
        read_line(user)
        orphan = postmaster_of(made)
        os.kill(orphan, signal.SIGSTOP)
        kill_all(set(processes_of(made)) - {orphan})
    # What was killed holds its locks until it is really gone.
    assert wait_until(lambda: processes_of(made) == [orphan], 30)
    with stand_in(settings, bucket=False) as complete:
        assert orphan not in processes_of(made)
        assert answer(complete) == 42


def test_a_remembered_port_that_somebody_took_is_replaced(
    settings: Settings, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = State(made / ".bounty-ops").remembered_ports()["postgresql"]
    with socket.create_server((ports.LOOPBACK, taken)), stand_in(settings, bucket=False) as new:
        assert new.environment().require_url().port != taken
        assert answer(new) == 42
    said = capsys.readouterr()
    assert f"port {taken} (postgresql) is taken" in said.err
    assert said.out == ""  # it may be a document


@pytest.mark.soak
def test_objects_survive_a_change_of_every_port(settings: Settings, made: Path) -> None:
    with stand_in(settings, database=False, ops=False) as complete:
        ObjectStore(complete.require_object_store()).put_if_absent("moved", b"42")
        before = complete.require_object_store().endpoint_url
    remembered = State(made / ".bounty-ops").remembered_ports()
    kept = {name: port for name, port in remembered.items() if not name.startswith("s3")}
    (made / ".bounty-ops" / "ports.json").write_text(json.dumps(kept), encoding="utf-8")
    with stand_in(settings, database=False, ops=False) as complete:
        store = ObjectStore(complete.require_object_store())
        assert complete.require_object_store().endpoint_url != before
        assert store.get("moved") == b"42"
        store.delete("moved")


@pytest.mark.soak
def test_a_database_that_was_dropped_is_made_again(settings: Settings) -> None:
    with stand_in(settings, bucket=False) as complete:
        url = complete.require_ops_url()
        with connect(url, application_name="tests") as connection:
            connection.execute("DROP DATABASE dagster")
    with stand_in(settings, bucket=False) as complete:
        assert ask(complete.require_ops_url().with_database("dagster"), "SELECT 1") == 1


def test_a_server_that_crashes_and_recovers_keeps_its_users(settings: Settings, made: Path) -> None:
    with stand_in(settings, bucket=False) as complete:
        url = _superuser(complete.require_ops_url(), made)
        backend = ask(url, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
        os.kill(int(str(backend)), signal.SIGKILL)

        def recovered() -> bool:
            try:
                return answer(complete) == 42
            except Exception:  # noqa: BLE001 - refused in several ways while it recovers
                return False

        assert wait_until(recovered, PATIENCE_SECONDS)


def test_lost_secrets_are_an_error_with_a_remedy(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {})
    with stand_in(settings, bucket=False):
        pass
    (tmp_path / ".bounty-ops" / "secrets.json").unlink()
    with pytest.raises(EmbeddedError, match=r"secrets\.json") as caught:  # noqa: SIM117 - one block each
        with stand_in(settings, bucket=False):
            raise AssertionError
    assert str(tmp_path) in caught.value.hint
    assert none_left(tmp_path)


def test_it_works_for_a_switched_user_below_a_closed_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        # Only root can switch; for everybody else the server simply runs as themselves.
        monkeypatch.setenv("BOUNTY_OPS_SERVER_USER", "same")
    else:
        monkeypatch.setenv("BOUNTY_OPS_SERVER_USER", "switch")
    tmp_path.chmod(0o700)
    settings = load_settings(tmp_path, {})
    place = None
    for _ in range(2):
        with stand_in(settings, bucket=False) as complete:
            url = complete.require_ops_url()
            run(complete, "CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
            assert answer(complete) == 42
            found = ask(_superuser(url, tmp_path), "SHOW data_directory")
            assert place in {None, found}
            place = found
    # Starting afresh removes what the former generation had put elsewhere.
    (tmp_path / ".bounty-ops" / "secrets.json").unlink()
    if os.geteuid() == 0:
        with stand_in(settings, bucket=False) as complete:
            assert ask(_superuser(url, tmp_path), "SHOW data_directory") != place
        _remove_place(tmp_path)
    assert none_left(tmp_path)


def _superuser(url: DatabaseUrl, project: Path) -> DatabaseUrl:
    password = State(project / ".bounty-ops").secrets().postgres
    return dataclasses.replace(url, user="postgres", password=password, database="postgres")


def _remove_place(project: Path) -> None:
    import shutil  # noqa: PLC0415 - only root ever gets here
    from pathlib import Path  # noqa: PLC0415 - elsewhere only needed for annotations

    from bounty_ops.embedded.privileges import former_places  # noqa: PLC0415 - see above

    left = former_places(project / ".bounty-ops" / "cluster", Path())
    assert len(left) == 1
    shutil.rmtree(left[0])
