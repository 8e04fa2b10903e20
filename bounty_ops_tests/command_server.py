"""Commands as processes that need not import everything again.

Starting Python and importing what a command needs takes longer than most commands do. So one
process imports it once, and each command runs in a fork of that one: with variables, directory,
streams, signals and an exit code of its own, like a process that was started. What is not shown by
it, that ``python -m bounty_ops`` starts at all and what it imports, real ones show elsewhere.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import pkgutil
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import bounty_ops
from bounty_ops import cli
from bounty_ops.cli.main import main as command
from bounty_ops_tests import watching

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PACKAGE_PARENT = Path(bounty_ops.__file__).parents[1]


class CommandServer:
    """The process that has imported everything; started when the first command comes."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None
        self._busy = threading.Lock()

    def run(
        self, words: Sequence[str], environ: Mapping[str, str], directory: Path, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run ``bounty-ops`` with these words; raises TimeoutExpired as subprocess.run does."""
        with self._busy:
            server = self._server or self._start()
            assert server.stdin is not None
            assert server.stdout is not None
            output = directory.parent / f"output.{os.getpid()}"
            request = {
                "words": list(words),
                "environ": dict(environ),
                "directory": str(directory),
                "output": str(output),
            }
            server.stdin.write(json.dumps(request) + "\n")
            server.stdin.flush()
            pid = int(server.stdout.readline())
            alarm = threading.Timer(timeout, os.kill, (pid, 9))
            alarm.start()
            code = int(server.stdout.readline())
            expired = alarm.finished.is_set()
            alarm.cancel()
            texts = [_taken(Path(f"{output}.{number}")) for number in (1, 2)]
        if expired:
            raise subprocess.TimeoutExpired(list(words), timeout, *texts)
        return subprocess.CompletedProcess(list(words), code, *texts)

    def _start(self) -> subprocess.Popen[str]:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "bounty_ops_tests.command_server"],
            env={**os.environ, "PYTHONPATH": str(_PACKAGE_PARENT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self._server

    def stop(self) -> None:
        """End it; it ends by itself when this process does."""
        if self._server is not None:
            self._server.communicate()
            self._server = None


def _taken(path: Path) -> str:
    text = path.read_bytes().decode()
    path.unlink()
    return text


def _serve() -> None:
    for module in pkgutil.walk_packages(cli.__path__, f"{cli.__name__}."):
        import_module(module.name)
    gc.freeze()  # else every fork's garbage collector would copy all of it
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(request)
        _say(pid)
        _, status = os.waitpid(pid, 0)
        _say(os.waitstatus_to_exitcode(status))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _become(request: Mapping[str, Any]) -> NoReturn:
    """Be the process that was asked for."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (1, 2):
        path = f"{request['output']}.{number}"
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600), number)
    os.closerange(3, 256)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole process
    sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), encoding="utf-8")  # noqa: SIM115
    sys.stderr = io.TextIOWrapper(
        open(2, "wb", buffering=0, closefd=False),  # noqa: SIM115 - for the whole process
        encoding="utf-8",
        errors="backslashreplace",
        write_through=True,
    )
    os.environ.clear()
    os.environ.update(request["environ"])
    if watching.VARIABLE in os.environ:
        watching.tell()
    os.chdir(request["directory"])
    sys.argv = ["bounty-ops", *request["words"]]
    code = 1
    try:
        code = command()
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
