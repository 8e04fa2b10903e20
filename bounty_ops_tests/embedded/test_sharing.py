"""A server runs as long as somebody uses it, whoever started it and however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded import keeper
from bounty_ops.embedded.keeping import Kept, Program
from bounty_ops.embedded.processes import ProcessId, wait_until
from bounty_ops.embedded.sharing import Use, using
from bounty_ops.errors import EmbeddedError
from bounty_ops_tests.embedded.observing import (
    PATIENCE_SECONDS,
    none_left,
    processes_of,
    python,
    read_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAME = "sleeper"
_SLEEP = "import time; time.sleep(1000)"
_STUBBORN = (
    "import os, signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "if len(sys.argv) < 2:\n"
    "    subprocess.Popen([sys.executable, __file__, 'child'], start_new_session=True)\n"
    "open(sys.argv[0] + '.ready' + str(len(sys.argv)), 'w').close()\n"
    "time.sleep(1000)\n"
)
_USER = """
import sys, time
from pathlib import Path
from bounty_ops.embedded.sharing import using
from bounty_ops_tests.embedded.test_sharing import sleeper
with using(Path(sys.argv[1]), "sleeper", prepare=lambda: sleeper(Path(sys.argv[1])),
           wait_ready=lambda kept: None) as kept:
    print(kept.report().server.pid, flush=True)
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:  # a signal just before one long sleep would be heard after it
        time.sleep(0.02)
"""


def sleeper(directory: Path, *arguments: str, **options: object) -> Program:
    """A server that does nothing at all."""
    values: dict[str, object] = {
        "argv": (sys.executable, *(arguments or ("-c", _SLEEP))),
        "log": directory / "log",
        "environment": {"PATH": os.defpath, "PLACE": str(directory)},
        "grace_seconds": 5.0,
        **options,
    }
    return Program(**values)  # type: ignore[arg-type]  # the tests know the fields


@contextmanager
def used(directory: Path, prepare: Callable[[], Program] | None = None) -> Iterator[Kept]:
    with using(
        directory,
        _NAME,
        prepare=prepare or (lambda: sleeper(directory)),
        wait_ready=lambda _: None,
    ) as kept:
        yield kept


def server(kept: Kept) -> ProcessId:
    report = kept.report()
    assert report is not None
    return report.server


def test_the_last_user_stops_the_server(tmp_path: Path) -> None:
    with used(tmp_path) as kept:
        process = server(kept)
        assert process.alive()
    assert not process.alive()
    assert not processes_of(tmp_path)


def test_whoever_started_the_server_may_leave_first(tmp_path: Path) -> None:
    with ExitStack() as first, ExitStack() as second:
        one = first.enter_context(used(tmp_path))
        two = second.enter_context(used(tmp_path))
        assert server(one) == server(two)
        first.close()
        assert server(two).alive()
        second.close()
        assert not server(two).alive()


def test_users_in_other_processes_share_it(tmp_path: Path) -> None:
    with python(_USER, tmp_path, 0) as starter:
        pid = int(read_line(starter))
        with used(tmp_path) as kept:
            # The starter may have been the last user for a moment; then this is a new server.
            assert starter.wait(PATIENCE_SECONDS) == 0
            assert server(kept).alive()
        assert ProcessId.of(pid) is None
    assert none_left(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_death_of_its_only_user_stops_the_server(
    tmp_path: Path, number: signal.Signals
) -> None:
    with python(_USER, tmp_path, 1000) as user:
        process = ProcessId.of(int(read_line(user)))
        assert process is not None
        user.send_signal(number)
        user.wait(PATIENCE_SECONDS)
        assert none_left(tmp_path)
        assert not process.alive()


def test_a_server_that_outlived_its_keeper_is_replaced(tmp_path: Path) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(_STUBBORN, encoding="utf-8")

    def stubborn() -> Program:
        return sleeper(tmp_path, str(script), grace_seconds=0.3)

    with used(tmp_path, stubborn) as kept:
        _wait_for(script, 2)
        former = server(kept)
        report = kept.report()
        assert report is not None
        report.keeper.send(signal.SIGKILL)
        assert wait_until(kept.failed, PATIENCE_SECONDS)
        assert former.alive()  # it ignores the signal of its parent's death
        with used(tmp_path, stubborn) as again:
            assert not former.alive()
            assert server(again).alive()
    assert none_left(tmp_path)


def _wait_for(script: Path, *counts: int) -> None:
    for count in counts:
        ready = script.with_name(f"{script.name}.ready{count - 1}")
        assert wait_until(ready.exists, PATIENCE_SECONDS)


def test_children_of_a_server_that_ignore_the_request_to_stop_are_killed(tmp_path: Path) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(_STUBBORN, encoding="utf-8")
    with used(tmp_path, lambda: sleeper(tmp_path, str(script), grace_seconds=0.3)):
        _wait_for(script, 2, 3)
        assert len(processes_of(tmp_path)) >= 3  # keeper, server, its child in another session
    assert not processes_of(tmp_path)


def test_the_end_of_a_server_is_noticed_and_the_next_user_starts_another(tmp_path: Path) -> None:
    with used(tmp_path) as kept:
        former = server(kept)
        assert not kept.failed()
        former.send(signal.SIGKILL)
        assert wait_until(kept.failed, PATIENCE_SECONDS)
        report = kept.report()
        assert report is not None
        assert (report.state, report.status) == ("ended", -signal.SIGKILL)
        with used(tmp_path) as again:
            assert server(again) != former


def test_a_server_that_cannot_start_is_an_error_of_its_first_user(tmp_path: Path) -> None:
    program = sleeper(tmp_path, argv=(str(tmp_path / "missing"),))

    def wait_ready(kept: Kept) -> None:
        assert wait_until(kept.failed, PATIENCE_SECONDS)
        raise EmbeddedError("it is missing", hint="Install it.")

    use = Use(tmp_path, _NAME, prepare=lambda: program, wait_ready=wait_ready)
    with pytest.raises(EmbeddedError, match="missing"), use:
        use.ready()
    assert "cannot start" in program.log.read_text("utf-8")
    assert not processes_of(tmp_path)


def test_waiting_is_taken_over_when_the_starter_dies_before_the_server_answers(
    tmp_path: Path,
) -> None:
    answered: list[str] = []
    first = Use(
        tmp_path,
        _NAME,
        prepare=lambda: sleeper(tmp_path),
        wait_ready=lambda _: answered.append("1"),
    )
    second = Use(
        tmp_path,
        _NAME,
        prepare=lambda: sleeper(tmp_path),
        wait_ready=lambda _: answered.append("2"),
    )
    with first:
        first.service.report()
        # What the kernel does for a process that is killed while it waits for the server.
        first._started()
        with second:
            second.ready()
    assert answered == ["2"]


def test_what_was_to_be_removed_is_gone_even_after_sigkill_of_the_user(tmp_path: Path) -> None:
    code = _USER.replace(
        "prepare=lambda: sleeper(Path(sys.argv[1]))",
        "prepare=lambda: sleeper(Path(sys.argv[1]), remove=(Path(sys.argv[1]),))",
    )
    place = tmp_path / "place"
    place.mkdir()
    with python(code, place, 1000) as user:
        read_line(user)
        user.kill()
        assert wait_until(lambda: not place.exists(), PATIENCE_SECONDS)
        assert none_left(place)


def test_a_server_hears_sigint_although_its_starter_was_started_with_it_ignored(
    tmp_path: Path,
) -> None:
    # That is how a shell starts a background job of a script.
    result = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -c "$CODE" "$PLACE" & wait'],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "CODE": _ASK_FOR_SIGNALS,
            "PLACE": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    starter, kept = (int(line, 16) for line in result.stdout.split())
    interrupt = 1 << (signal.SIGINT - 1)
    assert starter & interrupt
    assert not kept & interrupt


_ASK_FOR_SIGNALS = """
import os, sys
from pathlib import Path
from bounty_ops.embedded.sharing import using
from bounty_ops_tests.embedded.test_sharing import sleeper
def ignored(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return next(line.split()[1] for line in text.splitlines() if line.startswith("SigIgn"))
place = Path(sys.argv[1])
with using(place, "sleeper", prepare=lambda: sleeper(place), wait_ready=lambda kept: None) as kept:
    while b"become" in Path(f"/proc/{kept.report().server.pid}/cmdline").read_bytes():
        pass
    print(ignored(os.getpid()), ignored(kept.report().server.pid), flush=True)
"""


def test_children_are_found_on_kernels_with_and_without_a_list_of_them() -> None:
    with python("import time; time.sleep(1000)") as child:
        assert child.pid in keeper.our_children()
        assert child.pid in keeper._children_among_all(os.getpid())
        assert os.getpid() not in keeper._children_among_all(os.getpid())
