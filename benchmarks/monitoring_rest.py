"""What the whole stack costs at rest: ``python -m benchmarks.monitoring_rest [minutes]``.

Starts `bounty-ops up` in a directory of its own, with PostgreSQL, the object store and Dagster,
waits until it has settled, and then adds up the CPU time of all its processes, ended ones included,
while nobody asks anything of it: collections, sensors and schedules go on as they always do. Prints
CPU seconds an hour for each kind of process, as a Markdown table, and how long the ticks of sensors
and schedules took in that time and before. CPU time is what can be compared on a machine that does
other things as well; all the same a busy one uses more of it.
"""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.dagster_ticks import durations, lines, of_process

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICKS: Final = os.sysconf("SC_CLK_TCK")
#: What names a process, most telling first.
_KINDS: Final = {
    "dagster._daemon": "Dagster's daemon",
    "dagster-daemon": "Dagster's daemon",
    "dagster_webserver": "Dagster's UI",
    "dagster-webserver": "Dagster's UI",
    "grpc": "Dagster's code server, with collections, and runs",
    "postgres": "PostgreSQL: Bounty's, operations and Dagster's databases",
    "weed": "object store",
    "bounty_ops": "the supervisor and keepers",
}


def _kind(command: str) -> str:
    program = Path(command.split(" ", 1)[0]).name
    for word, kind in _KINDS.items():
        if word == program or word in command:
            return kind
    return "other"


def _processes(home: Path) -> Iterator[tuple[int, str, float]]:
    """Number, command and CPU seconds of all processes that were started for this directory."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
        if os.fsencode(home) in environment or str(home) in command:
            # With children that have ended and were waited for.
            yield int(process.name), command, sum(map(int, fields[11:15])) / _TICKS


def _by_kind(home: Path) -> dict[str, float]:
    seconds: defaultdict[str, float] = defaultdict(float)
    for _, command, used in _processes(home):
        seconds[_kind(command)] += used
    return seconds


def measure(home: Path, settle: float, minutes: float) -> dict[str, float]:
    """CPU seconds by kind of process in so many minutes."""
    time.sleep(settle * 60)
    before = _by_kind(home)
    time.sleep(minutes * 60)
    after = _by_kind(home)
    return {kind: after[kind] - before.get(kind, 0.0) for kind in after}


def main() -> None:
    """Start the stack, measure, and stop it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("minutes", nargs="?", type=float, default=15)
    parser.add_argument("--settle", type=float, default=3, help="minutes before it counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        variables = {**os.environ, "BOUNTY_OPS_HOME": directory}
        stack = subprocess.Popen(
            [sys.executable, "-m", "bounty_ops", "up"],
            env=variables,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert stack.stdout is not None  # noqa: S101 - it is a pipe
            for line in stack.stdout:
                if "Ctrl-C" in line:
                    break
            used = measure(home, options.settle, options.minutes)
            ticks = durations(of_process("dagster_webserver"))
        finally:
            stack.send_signal(signal.SIGINT)
            stack.wait(timeout=60)
    hours = options.minutes / 60
    sys.stdout.write(f"load of the machine {os.getloadavg()[0]:.1f}\n\n")
    sys.stdout.write("| what | CPU seconds an hour | share of a core |\n| --- | ---: | ---: |\n")
    for kind, seconds in [
        *sorted(used.items(), key=itemgetter(1), reverse=True),
        ("all of it", sum(used.values())),
    ]:
        sys.stdout.write(f"| {kind} | {seconds / hours:.0f} | {seconds / hours / 36:.2f} % |\n")
    sys.stdout.write("\n")
    sys.stdout.writelines(lines(ticks))


if __name__ == "__main__":
    main()
