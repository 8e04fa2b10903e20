"""`bounty-ops up` from outside: it answers, refuses a second one, and ends without a trace."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded import (
    StackInfo,
    run_stack,
    running_stack,
    sharing,
    stand_in,
    start_stack,
)
from bounty_ops.embedded.dagster_home import storage_parameters
from bounty_ops.embedded.state import State
from bounty_ops.environments import load_settings
from bounty_ops.errors import EmbeddedError
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.embedded.observing import (
    PATIENCE_SECONDS,
    ROOT,
    command_lines,
    kill_all,
    none_left,
    processes_of,
    python,
    read_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

#: The promise of `make up`: Ctrl-C stops every child within 10 s. A machine that runs other tests
#: at the same time may need longer to schedule us, as it did for the start, which has more to do;
#: what counts is that nothing waits for more.
_PROMISED_SECONDS = 10.0

_SERVERS = """
import sys
from pathlib import Path
from bounty_ops.embedded import start_stack
from bounty_ops.environments import load_settings
try:
    # With a bucket of somebody's own, only PostgreSQL is started: less to wait for.
    own = {} if "S3" in sys.argv else {"BACKUP_BUCKET": "s3://somebodys/own"}
    settings = load_settings(Path(sys.argv[1]), own)
    with start_stack(settings, dagster=False, say=lambda x: None) as s:
        print("ready", flush=True)
        s.wait()
except KeyboardInterrupt:
    pass  # it came before the stack was waited for
except Exception as error:
    print(type(error).__name__, error, flush=True)
print("gone", flush=True)
"""
_OWN_BUCKET = {"BACKUP_BUCKET": "s3://somebodys/own"}
_UP = """
import sys
from pathlib import Path
from bounty_ops.embedded import run_stack
from bounty_ops.environments import load_settings
run_stack(load_settings(Path(sys.argv[1]), {}), lambda text: print(text, flush=True))
print("gone", flush=True)
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    assert none_left(tmp_path)


def get(url: str, query: str | None = None) -> object:
    body = json.dumps({"query": query}).encode() if query else None
    headers = {"Content-Type": "application/json"} if query else {}
    assert url.startswith("http://127.0.0.1:")
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - see above
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=PATIENCE_SECONDS) as response:
        return json.load(response)


@pytest.mark.long
def test_up_runs_dagster_until_ctrl_c_and_nothing_survives(project: Path) -> None:
    began = time.monotonic()
    with python(_UP, project) as up:
        said = [read_line(up), read_line(up)]
        started_within = time.monotonic() - began
        assert "PostgreSQL" in said[0]
        settings = load_settings(project, {})
        info = running_stack(settings)
        assert info is not None
        assert info.ui_url is not None
        assert info.ui_url in said[1]
        assert info.pid == up.pid
        assert "dagster_webserver_version" in str(get(f"{info.ui_url}/server_info"))
        question = "{instance{daemonHealth{id}} workspaceOrError{... on Workspace{id}}}"
        assert "errors" not in str(get(f"{info.ui_url}/graphql", question))

        with pytest.raises(EmbeddedError, match=f"pid {up.pid}, its UI is at {info.ui_url}"):
            run_stack(settings, lambda _: None)
        with stand_in(settings) as complete:  # a command next to it shares its servers
            assert complete.ops_url is not None
        assert_no_secret_is_shown(project)

        began = time.monotonic()
        os.kill(up.pid, signal.SIGINT)
        assert read_line(up) == "stopping"
        assert read_line(up) == "gone"
        assert up.wait(PATIENCE_SECONDS) == 0
        assert processes_of(project) == []
        assert time.monotonic() - began < max(_PROMISED_SECONDS, started_within)
        assert running_stack(settings) is None


def assert_no_secret_is_shown(project: Path) -> None:
    state = State(project / ".bounty-ops")
    secrets = state.secrets()
    lines = command_lines(processes_of(project))
    for program in ("dagster_webserver", "dagster._daemon", "code-server", "weed", "postgres"):
        assert program in lines
    texts = [lines]
    for place in (state.logs, state.run, state.dagster):
        texts += [p.read_text("utf-8", "replace") for p in place.rglob("*") if p.is_file()]
    assert len(texts) > 10
    for value in (
        secrets.postgres,
        secrets.bounty,
        secrets.bounty_ops,
        secrets.s3_secret_access_key,
    ):
        assert not [text for text in texts if value in text]


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.soak),
        pytest.param(signal.SIGHUP, marks=pytest.mark.soak),
    ],
)
def test_it_stops_although_it_was_started_with_signals_ignored(
    project: Path, number: signal.Signals
) -> None:
    # What a shell does to a background job of a script, and nohup to anything.
    ignoring = f'trap \'\' INT HUP; exec {shlex.quote(sys.executable)} -c "$CODE" "$PLACE"'
    with subprocess.Popen(
        ["/bin/sh", "-c", ignoring],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CODE": _SERVERS, "PLACE": str(project)},
        stdout=subprocess.PIPE,
        text=True,
    ) as up:
        try:
            assert read_line(up) == "ready"
            up.send_signal(number)
            assert read_line(up) == "gone"
            assert up.wait(PATIENCE_SECONDS) == 0
        finally:
            up.kill()
    assert processes_of(project) == []


def test_an_impatient_second_ctrl_c_does_not_break_off_the_stop(project: Path) -> None:
    with python(_SERVERS, project) as up:
        assert read_line(up) == "ready"
        up.send_signal(signal.SIGINT)
        up.send_signal(signal.SIGINT)
        up.send_signal(signal.SIGTERM)
        assert read_line(up) == "gone"
        assert up.wait(PATIENCE_SECONDS) == 0
    assert processes_of(project) == []


def test_after_sigkill_of_everything_the_next_one_works(project: Path) -> None:
    with python(_SERVERS, project) as up:
        assert read_line(up) == "ready"
        kill_all(processes_of(project))
        assert none_left(project)
    settings = load_settings(project, _OWN_BUCKET)
    assert running_stack(settings) is None
    with start_stack(settings, dagster=False, say=lambda _: None) as stack:
        stack.check()
        assert running_stack(settings) == StackInfo(os.getpid(), None)


def test_after_sigkill_of_the_supervisor_alone_nothing_survives_it(project: Path) -> None:
    with python(_SERVERS, project) as up:
        assert read_line(up) == "ready"
        up.kill()
        assert none_left(project)


@pytest.mark.parametrize("victim", ["weed", "postgres"])
@pytest.mark.many(every=2)
def test_the_death_of_a_server_ends_the_stack_and_says_why(project: Path, victim: str) -> None:
    with python(_SERVERS, project, "S3") as up:
        assert read_line(up) == "ready"
        servers = [
            pid
            for pid in processes_of(project)
            if "keeper" not in (line := command_lines([pid])) and f"bin/{victim} " in line
        ]
        kill_all(servers)
        assert read_line(up).startswith("EmbeddedError")
        assert read_line(up) == "gone"
        up.wait(PATIENCE_SECONDS)
    assert processes_of(project) == []


@pytest.mark.soak
def test_of_two_that_are_started_at_once_one_runs_and_one_is_told(project: Path) -> None:
    with python(_SERVERS, project) as one, python(_SERVERS, project) as two:
        said = {read_line(one): one, read_line(two): two}
        running = said.pop("ready")
        refusal, refused = said.popitem()
        assert refusal.startswith("EmbeddedError the stack runs already")
        assert read_line(refused) == "gone"
        running.send_signal(signal.SIGINT)
        assert read_line(running) == "gone"
        one.wait(PATIENCE_SECONDS)
        two.wait(PATIENCE_SECONDS)


@pytest.mark.soak
def test_a_command_that_is_still_at_work_keeps_its_servers(project: Path) -> None:
    settings = load_settings(project, {})
    with python(_SERVERS, project, "S3") as up:
        assert read_line(up) == "ready"
        with stand_in(settings, bucket=False) as complete:
            up.send_signal(signal.SIGINT)
            assert read_line(up) == "gone"
            up.wait(PATIENCE_SECONDS)
            with connect(complete.require_ops_url(), application_name="tests") as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            assert "weed" not in command_lines(processes_of(project))


def test_a_stack_whose_start_fails_leaves_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = sharing.Use.ready

    def interrupted(use: sharing.Use) -> None:
        ready(use)
        raise KeyboardInterrupt  # Ctrl-C while the second server is being waited for

    monkeypatch.setattr(sharing.Use, "ready", interrupted)
    settings = load_settings(project, {})
    with pytest.raises(KeyboardInterrupt):  # noqa: SIM117 - the block must not be entered
        with start_stack(settings, dagster=False, say=lambda _: None):
            raise AssertionError
    assert processes_of(project) == []


def test_signal_handlers_are_given_back(project: Path) -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with start_stack(load_settings(project, _OWN_BUCKET), dagster=False, say=lambda _: None):
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    after = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert after == before


def test_in_a_database_of_somebodys_own_dagster_gets_a_schema_of_its_own(
    make_database: Callable[[], DatabaseUrl],
) -> None:
    url = make_database()
    for _ in range(2):
        parameters = storage_parameters(url, embedded=False)
        assert parameters["options"] == "-csearch_path=dagster"
    with connect(url, application_name="tests") as connection:
        found = connection.execute("SELECT to_regnamespace('dagster') IS NOT NULL").fetchone()
    assert found == (True,)
    assert "options" not in storage_parameters(url, embedded=True)
