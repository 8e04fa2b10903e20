"""Every program that processes of ours start: its arguments and variables, exactly as handed over.

Who looks into /proc from time to time misses what lives for a moment. So the processes tell it
themselves: an audit hook of Python notes each start in a file. ``started(environ)`` puts the hook
into every Python that is started with these variables, by a ``sitecustomize`` of its own; the
command server installs it in the command that it becomes.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "BOUNTY_OPS_TESTS_STARTED"
_CUSTOMIZE: Final = """\
import os
if os.environ.get("BOUNTY_OPS_TESTS_STARTED"):
    from bounty_ops_tests.watching import tell
    tell()
"""
#: Of Python's `platform` and `ctypes.util`, and of Dagster, which has a run's output followed.
_OF_LIBRARIES: Final = {"file", "uname", "ldconfig", "gcc", "cc", "ld", "objdump", "tail"}
#: Events of Python's audit table, with the places of argv and environment among their arguments.
_STARTS: Final = {"subprocess.Popen": (1, 3), "os.posix_spawn": (1, 2), "os.exec": (1, 2)}


@dataclass(frozen=True)
class Started:
    """One program that was started."""

    argv: tuple[str, ...]
    variables: tuple[str, ...]
    """The values alone."""

    @property
    def program(self) -> str:
        """The file name of what was started."""
        return Path(self.argv[0]).name

    @property
    def inherits(self) -> bool:
        """Whether it has all variables of who started it: Python that reads settings by itself.

        And the tools that libraries of Dagster's processes start; nothing of ours does.
        """
        return self.program.startswith(("python", "dagster")) or self.program in _OF_LIBRARIES


@dataclass(frozen=True)
class Watch:
    """What was started by whoever has `variables`."""

    directory: Path

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """`environ`, and what makes every Python that has it tell what it starts."""
        (self.directory / "sitecustomize.py").write_text(_CUSTOMIZE, encoding="utf-8")
        path = os.pathsep.join((str(self.directory), environ["PYTHONPATH"]))
        return {**environ, "PYTHONPATH": path, VARIABLE: str(self.directory / "started")}

    def started(self) -> list[Started]:
        """All until now."""
        path = self.directory / "started"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [Started(*map(tuple, json.loads(line))) for line in lines]


def tell() -> None:
    """Note from now on what this process starts, in the file that a variable names."""
    file = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.set_inheritable(file, False)

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _STARTS:
            return
        argv, variables = (arguments[place] for place in _STARTS[event])
        argv = [argv] if isinstance(argv, str) else argv
        values = (os.environ if variables is None else variables).values()
        found = [[_text(each) for each in argv], [_text(each) for each in values]]
        os.write(file, json.dumps(found).encode() + b"\n")  # one call: whole lines from everybody

    sys.addaudithook(note)


def _text(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else str(value)
