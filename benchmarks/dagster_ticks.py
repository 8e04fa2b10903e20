"""How long the ticks of a running stack took, as its daemon recorded them."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NEEDED: Final = ("DAGSTER_", "PATH=", "HOME=")
_TWENTIETHS: Final = 20
_MANY: Final = 10_000


def of_process(command: str) -> dict[str, str]:
    """What a running Dagster process was told of its instance.

    Raises StopIteration if there is no such process.
    """
    found = next(
        process
        for process in Path("/proc").glob("[0-9]*")
        if command.encode() in (process / "cmdline").read_bytes()
    )
    words = (found / "environ").read_text().split("\0")
    return dict(word.split("=", 1) for word in words if word.startswith(_NEEDED))


def durations(variables: Mapping[str, str]) -> dict[str, list[float]]:
    """Seconds of the finished ticks, by the name of the sensor or schedule.

    In a process of its own, since Dagster takes its instance from the environment.
    """
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.dagster_ticks"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(said.stdout))


def lines(found: Mapping[str, list[float]]) -> Iterator[str]:
    """A Markdown table of them."""
    yield "| tick | how many | median ms | 95 of 100 |\n| --- | ---: | ---: | ---: |\n"
    for name, seconds in sorted(found.items()):
        most = quantiles(seconds, n=_TWENTIETHS)[-1] if len(seconds) > 1 else seconds[0]
        yield f"| {name} | {len(seconds)} | {median(seconds) * 1000:.0f} | {most * 1000:.0f} |\n"


def main() -> None:
    """Print those of the instance in the environment as JSON."""
    import dagster as dg  # noqa: PLC0415 - only this process needs it

    found: defaultdict[str, list[float]] = defaultdict(list)
    with dg.DagsterInstance.get() as instance:
        for state in instance.all_instigator_state():
            for tick in instance.get_ticks(
                state.instigator_origin_id, state.selector_id, limit=_MANY
            ):
                if (end := tick.tick_data.end_timestamp) is not None:
                    found[state.name].append(end - tick.timestamp)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
