"""The last step before exec: identity, signals, and the death of the parent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bounty_ops.embedded.become import _ids
from bounty_ops.embedded.privileges import ServerUser, former_places, server_user
from bounty_ops.embedded.processes import ProcessId, wait_until
from bounty_ops.errors import ConfigurationError, EmbeddedError
from bounty_ops_tests.embedded.observing import PATIENCE_SECONDS, python, read_line

_BECOME = Path(__file__).parents[2] / "bounty_ops" / "embedded" / "become.py"


def run_as(user: ServerUser, script: str) -> str:
    # A shell, and not Python: that may well lie in root's own home.
    result = subprocess.run(
        user.command(["/bin/sh", "-c", script]),
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    return result.stdout.strip()


def strategies() -> list[str]:
    """Those that this machine allows us; every one of them gets the same tests."""
    found = ["same"]
    for strategy in ("namespace", "switch"):
        try:
            server_user({"BOUNTY_OPS_SERVER_USER": strategy})
        except EmbeddedError:
            continue  # forbidden here
        found.append(strategy)
    return found


@pytest.mark.parametrize("strategy", strategies())
def test_a_program_runs_as_the_user_that_the_strategy_names(strategy: str) -> None:
    user = server_user({"BOUNTY_OPS_SERVER_USER": strategy})
    assert run_as(user, "echo $(id -u) $(id -g)") == f"{user.uid} {user.gid}"


def test_a_root_user_never_gets_a_root_server() -> None:
    user = server_user({})
    assert user.uid != 0
    assert run_as(user, "id -u") != "0"


def test_inside_a_namespace_files_stay_those_of_the_outer_user(tmp_path: Path) -> None:
    if "namespace" not in strategies():
        # Containers often forbid them; then `switch` is what runs, and is tested above.
        assert server_user({}).strategy != "namespace"
        return
    user = server_user({"BOUNTY_OPS_SERVER_USER": "namespace"})
    place = user.place(tmp_path / "data")
    run_as(user, f"touch '{place}/file'")
    assert place == tmp_path / "data"
    assert (place / "file").stat().st_uid == os.geteuid()


def test_a_switched_user_gets_a_place_that_it_can_reach(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        # Nobody but root can become somebody else, so nobody else ever gets this strategy.
        assert server_user({}).strategy != "switch"
        return
    user = server_user({"BOUNTY_OPS_SERVER_USER": "switch"})
    tmp_path.chmod(0o700)
    wanted = tmp_path / "data"
    place = user.place(wanted, generation="one")
    try:
        assert place != wanted
        assert (place.stat().st_uid, place.stat().st_mode & 0o777) == (user.uid, 0o700)
        run_as(user, f"touch '{place}/file'")
        other = user.place(wanted, generation="two")
        assert other != place
        assert former_places(wanted, other) == [place]
    finally:
        for made in former_places(wanted, Path()):
            shutil.rmtree(made)


def test_programs_behind_a_closed_directory_are_copied_to_where_they_can_be_reached(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "prefix" / "bin"
    directory.mkdir(parents=True)
    (directory / "hello").write_text("#!/bin/sh\necho hello from $(id -u)\n", encoding="utf-8")
    (directory / "hello").chmod(0o755)
    tmp_path.chmod(0o700)
    me = ServerUser("same", os.geteuid(), os.getegid())
    assert me.programs_directory(directory) == directory
    if os.geteuid() != 0:
        return  # only root can become somebody who cannot reach them
    user = server_user({"BOUNTY_OPS_SERVER_USER": "switch"})
    found = user.programs_directory(directory)
    try:
        assert found == user.programs_directory(directory) != directory
        assert run_as(user, str(found / "hello")) == f"hello from {user.uid}"
    finally:
        shutil.rmtree(found.parent)


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="BOUNTY_OPS_SERVER_USER=sudo"):
        server_user({"BOUNTY_OPS_SERVER_USER": "sudo"})


def test_ids_are_a_pair() -> None:
    assert _ids("65534:100") == (65534, 100)


def test_a_program_that_is_missing_is_named() -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-S", str(_BECOME), "--", "/nowhere/postgres"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert result.stderr.strip() == "cannot start /nowhere/postgres: No such file or directory"


def test_signals_start_at_their_defaults() -> None:
    inner = [sys.executable, "-I", "-S", str(_BECOME), "--", "/bin/cat", "/proc/self/status"]
    code = (
        "import signal, subprocess, sys\n"
        "for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])\n"
        f"sys.stdout.write(subprocess.run({inner!r}, capture_output=True, text=True).stdout)\n"
    )
    with python(code) as process:
        text, _ = process.communicate(timeout=PATIENCE_SECONDS)
    masks = dict(line.split(":\t") for line in text.splitlines() if line.startswith("Sig"))
    assert int(masks["SigBlk"], 16) == 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        assert not int(masks["SigIgn"], 16) & (1 << (number - 1))


@pytest.mark.parametrize("strategy", strategies())
def test_the_program_is_told_when_its_parent_is_killed(strategy: str) -> None:
    user = server_user({"BOUNTY_OPS_SERVER_USER": strategy})
    argv = [
        sys.executable, "-I", "-S", str(_BECOME), "--death-signal", str(int(signal.SIGTERM)),
        *user.become(), "--", "/bin/sleep", "1000",
    ]  # fmt: skip
    code = (
        "import subprocess, time\n"
        f"child = subprocess.Popen({argv!r}, cwd='/')\n"
        "while not open(f'/proc/{child.pid}/cmdline', 'rb').read().startswith(b'/bin/sleep'):\n"
        "    time.sleep(0.01)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(1000)\n"
    )
    with python(code) as parent:
        child = ProcessId.of(int(read_line(parent)))
        assert child is not None
        assert child.alive()
        parent.kill()
        assert wait_until(lambda: not child.alive(), PATIENCE_SECONDS)
