"""How fast sample data is made and written: ``python -m benchmarks.seeding [rows] [repeats]``.

It runs on a throw-away PostgreSQL of its own. The goal is 50,000 rows a second on 2 cores that
nobody else uses. With `client` and `server` CPU seconds a run on a busy machine says something
too: the two work side by side, so the larger one is what a quiet machine would need at least.
"""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.environments import Environment, Policy
from bounty_ops.postgres.connect import connect, engine
from bounty_ops.postgres.programs import find_programs
from bounty_ops.schema.bounty import Base
from bounty_ops.seeding import seed

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl


def _server_seconds() -> float:
    """CPU seconds of all processes of PostgreSQL on this machine that write for a seeding."""
    ticks = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            title = (process / "cmdline").read_bytes()
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if title.startswith(b"postgres: ") and b" seeding_benchmark " in title:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / 100


def measure(server: DatabaseUrl, rows: int) -> str:
    """Seed one new database and say how it went."""
    url = server.with_database("seeding_benchmark")
    with connect(server, application_name="benchmark") as connection:
        connection.execute("DROP DATABASE IF EXISTS seeding_benchmark WITH (FORCE)")
        connection.execute("CREATE DATABASE seeding_benchmark")
    made = engine(url, application_name="benchmark")
    Base.metadata.create_all(made)
    made.dispose()
    at_server, looked, began = 0.0, time.monotonic(), time.process_time()

    def follow(_rows: int) -> None:
        nonlocal at_server, looked
        if time.monotonic() > looked + 0.1:
            at_server, looked = max(at_server, _server_seconds()), time.monotonic()

    result = seed(
        Environment("development", url, Policy.of("development")), rows=rows, progress=follow
    )
    return (
        f"{rows:,} rows in {result.written_seconds:.2f} s: "
        f"{rows / result.written_seconds:,.0f} rows/s; with statistics {result.seconds:.2f} s; "
        f"client {time.process_time() - began:.2f} s, server about {at_server:.2f} s, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB at most\n"
    )


def main(rows: int = 200_000, repeats: int = 3) -> None:
    """Measure a few times."""
    with (
        tempfile.TemporaryDirectory() as directory,
        throwaway_cluster(find_programs(server=True), work_dir=Path(directory)) as server,
    ):
        for _ in range(repeats):
            sys.stdout.write(measure(server, rows))
            sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
