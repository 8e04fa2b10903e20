"""Running pg_dump, pg_restore and the like: owned to their end, and with no secret in argv.

A pipeline in a shell hides that `pg_dump` failed; the output then ends early and looks whole.
Here the caller reads the output and must call `wait`, which raises unless the program ended well.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from bounty_ops.errors import ProgramFailed
from bounty_ops.postgres.causes import PASSED
from bounty_ops.postgres.diagnose import explained, refusal
from bounty_ops.postgres.handed_down import handed_down

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs

PIPE: Final = subprocess.PIPE
_SHOWN_LINES: Final = 5
_SHOWN_CHARACTERS: Final = 2_000
_READ_BYTES: Final = 1 << 20
#: The most that Linux allows everybody.
_PIPE_BYTES: Final = 1 << 20
_SERVICE: Final = "bounty_ops"
_REPLACED: Final = frozenset({"PGSERVICE", "PGSERVICEFILE"})


class RunningProgram:
    """A program under way; read `stdout` to its end, then `wait`."""

    def __init__(
        self, name: str, process: subprocess.Popen[bytes], errors: Path, url: DatabaseUrl | None
    ) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._errors = errors
        self._url = url
        self._secrets = () if url is None else url.secrets()
        self._told = 0

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe from its standard output."""
        if self._process.stdout is None:
            message = "the program was started without a pipe from its output"
            raise AssertionError(message)
        return self._process.stdout

    @property
    def stdin(self) -> IO[bytes]:
        """The pipe to its standard input, when started with `stdin=PIPE`."""
        if self._process.stdin is None:
            message = "the program was started without a pipe to its input"
            raise AssertionError(message)
        return self._process.stdin

    def wait(self) -> None:
        """Wait for the end.

        Raises:
            ProgramFailed: it ended with another status than 0, or by a signal; the message has
                the end of what it wrote to standard error, without secrets.
        """
        status = self._process.wait()
        if status == 0:
            return
        if status < 0:
            how = f"was killed by {_signal_name(-status)}"
            hint = "Something ended it from outside (out of memory, an operator); run it again."
        else:
            how = f"ended with status {status}"
            hint = "Its last words are above; correct the cause and run it again."
        said = self.stderr_tail()
        failed = ProgramFailed(f"{self.name} {how}" + (f": {said}" if said else ""), hint=hint)
        raise failed if status < 0 else self._diagnosed(failed)

    def _diagnosed(self, failed: ProgramFailed) -> ProgramFailed:
        """With the remedy for what keeps us from connecting at all, if that is so right now.

        A program's words are not read: they are in any language. If the server lets us in, the
        program failed for a reason of its own.
        """
        if self._url is None:
            return failed
        cause, detail = refusal(self._url)
        if cause is PASSED:
            return failed
        found = explained(cause, self._url, detail)
        diagnosed = ProgramFailed(f"{failed}; now {found}", hint=found.hint)
        diagnosed.diagnosis = found.diagnosis
        return diagnosed

    def stderr_tail(self) -> str:
        """The end of what it wrote to standard error, on one line, secrets masked."""
        text = self._errors.read_bytes()[-_SHOWN_CHARACTERS:].decode(errors="replace")
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return " | ".join(line.strip() for line in text.splitlines()[-_SHOWN_LINES:] if line)

    def error_lines(self) -> list[str]:
        """The beginning of what it wrote to standard error, line by line, secrets masked."""
        with self._errors.open("rb") as errors:
            text = errors.read(_READ_BYTES).decode(errors="replace")
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text.splitlines()

    def new_error_lines(self) -> list[str]:
        """What it wrote to standard error since the last call, in whole lines, secrets masked."""
        with self._errors.open("rb") as errors:
            errors.seek(self._told)
            whole, end, _ = errors.read().rpartition(b"\n")
        self._told += len(whole) + len(end)
        text = whole.decode(errors="replace")
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text.splitlines()

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


@contextmanager
def start_program(
    programs: Programs,
    name: str,
    arguments: Sequence[str],
    *,
    url: DatabaseUrl | None = None,
    stdin: IO[bytes] | int | None = None,
) -> Iterator[RunningProgram]:
    """Run one of PostgreSQL's programs for the length of the block.

    How to reach `url` goes by a service file and a password file, both in a directory that only
    this user may enter: arguments show up in `ps`, variables in `/proc`. Leaving the block kills
    what still runs: a forgotten pg_dump would hold ACCESS SHARE locks on every table.

    Raises:
        ProgramNotFound: the installation lacks the program.
    """
    path = programs.path(name)
    with tempfile.TemporaryDirectory(prefix="bounty-ops-run-") as private:
        directory = Path(private)
        environment = _environment(directory, url)
        errors = directory / "stderr"
        with errors.open("wb") as error_file:
            process = subprocess.Popen(
                [path, *arguments],
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=PIPE,
                stderr=error_file,
                env=environment,
            )
        _widen(process.stdout)
        running = RunningProgram(name, process, errors, url)
        try:
            yield running
        finally:
            running.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    _close(pipe)


def run_program(
    programs: Programs, name: str, arguments: Sequence[str], *, url: DatabaseUrl | None = None
) -> str:
    """Run one of PostgreSQL's programs to its end and return what it wrote to standard output.

    Raises:
        ProgramFailed: it ended badly.
        ProgramNotFound: the installation lacks it.
    """
    with start_program(programs, name, arguments, url=url) as running:
        output = running.stdout.read()
        running.wait()
    return output.decode()


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a program write on while its output is not read: pg_dump writes 4 KiB at a time.

    Only a courtesy: elsewhere than on Linux there is no such call, and a user's pipes have a limit.
    """
    resize = getattr(fcntl, "F_SETPIPE_SZ", None)
    if resize is not None and pipe is not None:
        with suppress(OSError):
            fcntl.fcntl(pipe.fileno(), resize, _PIPE_BYTES)


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:  # the program is gone, and nobody will read what was buffered
        return


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _environment(directory: Path, url: DatabaseUrl | None) -> dict[str, str]:
    """This process's variables as far as they are handed down, with the private files' paths."""
    environment = {k: v for k, v in handed_down().items() if k not in _REPLACED}
    environment["LC_MESSAGES"] = "C"  # messages are read by people and by us in one language
    environment.pop("LC_ALL", None)
    if url is None:
        return environment
    keywords = url.conninfo()
    password = keywords.pop("password", None)
    lines = [f"[{_SERVICE}]", *(f"{name}={value}" for name, value in keywords.items())]
    service = directory / "service"
    _write_private(service, "\n".join(lines) + "\n")
    environment |= {"PGSERVICEFILE": str(service), "PGSERVICE": _SERVICE}
    if password is not None:
        escaped = password.replace("\\", "\\\\").replace(":", "\\:")
        passfile = directory / "pgpass"
        _write_private(passfile, f"*:*:*:*:{escaped}\n")
        environment["PGPASSFILE"] = str(passfile)
        environment.pop("PGPASSWORD", None)  # libpq would take it before any file
    return environment


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
