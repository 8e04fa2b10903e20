"""How fast backups and verifications are: ``python -m benchmarks.backup [--gigabytes 0.2 1 4]``.

On an embedded PostgreSQL and an embedded SeaweedFS of its own, in one run, beside the plain tools:
what counts is the ratio, on a machine that does nothing else. Every measured step is a process of
its own, so that its peak memory is its own. Prints a Markdown table; ``aws`` is compared with when
it is on PATH.
"""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.backup_steps import GIVEN
from bounty_ops.embedded import ports, seaweed, throwaway_cluster
from bounty_ops.embedded.sharing import using
from bounty_ops.environments import Environment, Policy
from bounty_ops.postgres.connect import connect, engine
from bounty_ops.postgres.programs import find_programs
from bounty_ops.schema.bounty import Base
from bounty_ops.seeding import seed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.embedded.keeping import Program
    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings

MIB: Final = 1 << 20
#: Rows as a shop has them: numbers, times, words that repeat and words that do not.
_FILL: Final = """
    CREATE TABLE orders{number} AS
    SELECT n AS id, now() - n * interval '1 second' AS placed_at, n % 5000 AS customer,
        (n * 7919 % 100000)::numeric / 100 AS amount, md5(n::text) AS reference,
        'order of ' || (n % 977) || ' things, delivered to street ' || (n % 9973) AS note,
        CASE WHEN n % 7 = 0 THEN 'a longer remark about order ' || n || ' of a patient customer' END
            AS remark
    FROM generate_series(1::bigint, {rows}) AS n;
    ALTER TABLE orders{number} ADD PRIMARY KEY (id);
    CREATE INDEX ON orders{number} (customer, placed_at);
"""
_BYTES_A_ROW: Final = 212  # with its indexes
_TABLES: Final = 4
#: Above that many gigabytes things are measured once, for the memory.
_LARGE: Final = 1.0


@dataclasses.dataclass(frozen=True)
class Measured:
    """One step, in a process of its own."""

    seconds: float
    cpu_seconds: float
    """Of the process, the programs it started, and the servers: what counts on a busy machine."""
    peak_bytes: int
    """Of the process alone."""
    detail: dict[str, Any]


class RoomyStore(seaweed.Seaweed):
    """A store with room to work in: its usual limit on memory costs it half as much CPU again."""

    def program(self) -> Program:
        """How a keeper runs it."""
        program = super().program()
        variables = {**program.environment, "GOMEMLIMIT": "2GiB"}
        return dataclasses.replace(program, environment=variables)


class Bench:
    """The servers of one run and what is measured on them."""

    def __init__(
        self, server: DatabaseUrl, store: ObjectStoreSettings, work_dir: Path, major: int
    ) -> None:
        self._server = server
        self._store = store
        self._work_dir = work_dir
        self._major = major

    def step(self, name: str, url: DatabaseUrl, **given: Any) -> Measured:  # noqa: ANN401 - JSON
        """Carry one step out in a new process."""
        store = dataclasses.asdict(self._store)
        for inner in ("location", "names"):
            store.pop(inner)
        location = self._store.location
        given |= {
            "url": dataclasses.asdict(url),
            "store": store,
            "location": [location.bucket, location.prefix],
            "work_dir": str(self._work_dir),
            "major": self._major,
        }
        time.sleep(1)  # until the postmaster has counted what the last session used
        before = self._server_seconds()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.backup_steps", name],
            env={**os.environ, GIVEN: json.dumps(given)},
            stdout=subprocess.PIPE,
            check=True,
        )
        found = json.loads(done.stdout)
        measured = {key: found.pop(key) for key in ("seconds", "cpu_seconds", "peak_bytes")}
        time.sleep(1)
        measured["cpu_seconds"] += self._server_seconds() - before
        return Measured(**measured, detail=found)

    def _server_seconds(self) -> float:
        """CPU seconds of our servers; a postmaster's hold those of its sessions that ended."""
        ticks = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                fields = (process / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            if str(self._work_dir).encode() in command:
                ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def database(self, name: str) -> DatabaseUrl:
        """An empty database."""
        with connect(self._server, application_name="benchmark") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._server.with_database(name)

    def filled(self, gigabytes: float) -> DatabaseUrl:
        """A database of about that size."""
        url = self.database("filled")
        rows = int(gigabytes * 1000**3 / _BYTES_A_ROW / _TABLES)
        with connect(url, application_name="benchmark") as connection:
            for number in range(_TABLES):
                connection.execute(_FILL.format(number=number, rows=rows).encode())
            connection.execute("VACUUM ANALYZE")
        return url

    def seeded(self, rows: int) -> DatabaseUrl:
        """A database of Bounty's own."""
        url = self.database("bounty")
        made = engine(url, application_name="benchmark")
        Base.metadata.create_all(made)
        made.dispose()
        seed(Environment("development", url, Policy.of("development")), rows=rows)
        return url

    def compare(self, title: str, url: DatabaseUrl, repeats: int, aws: str | None) -> None:
        """Measure everything on one database, by turns, and print the rows of the table."""
        dump = str(self._work_dir / "bare.dump")
        turns: dict[str, list[Measured]] = {}
        for turn in range(repeats):
            self._turn(turns, "pg_dump", "pg_dump", url, file="/dev/null")
            self._turn(turns, "counted", "backup", url, compare="counts")
            backup = self._turn(turns, "backup", "backup", url)
            if aws is not None and turn == 0:  # it takes as long as all the others
                self._turn(turns, "aws", "aws", url, aws=aws, options=[])
                zstd = ["--compress=zstd:1"]
                self._turn(turns, "aws zstd", "aws", url, aws=aws, options=zstd)
            self.step("pg_dump", url, file=dump)
            self._turn(turns, "pg_restore", "pg_restore", url, file=dump)
            Path(dump).unlink()
            self._turn(turns, "verify", "verify", url, id=backup.detail["id"])
        size = _value(url, "SELECT pg_database_size(current_database())")
        _print_rows(f"{title}, {size / 1000**3:.2f} GB", turns)

    def _turn(
        self,
        turns: dict[str, list[Measured]],
        what: str,
        name: str,
        url: DatabaseUrl,
        **given: Any,  # noqa: ANN401 - JSON
    ) -> Measured:
        measured = self.step(name, url, **given)
        turns.setdefault(what, []).append(measured)
        print(f"  {what}: {measured.seconds:.2f} s {measured.detail}", file=sys.stderr)  # noqa: T201
        return measured


def _value(url: DatabaseUrl, query: str) -> int:
    with connect(url, application_name="benchmark") as connection:
        row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


_ROWS: Final = (
    ("pg_dump", "`pg_dump -Fc -Z zstd:1 > /dev/null`", "pg_dump"),
    ("backup", "**our backup**, end to end", "pg_dump"),
    ("counted", 'our backup with `compare = "counts"`', "pg_dump"),
    ("aws", "`pg_dump -Fc \\| aws s3 cp -`", "backup"),
    ("aws zstd", "`pg_dump -Fc -Z zstd:1 \\| aws s3 cp -`", "backup"),
    ("pg_restore", "`pg_restore -j 2`, bare", "pg_restore"),
    ("verify", "**our verification**, end to end", "pg_restore"),
)


def _print_rows(title: str, turns: dict[str, list[Measured]]) -> None:
    seconds = {what: median(one.seconds for one in found) for what, found in turns.items()}
    for what, words, against in _ROWS:
        if what not in turns:
            continue
        found = turns[what]
        peak = max(one.peak_bytes for one in found) / MIB
        ours = f"{peak:.0f} MiB" if what in {"backup", "counted", "verify"} else ""
        ratio = "" if what == against else f"{seconds[what] / seconds[against]:.2f} x {against}"
        steps = [one.detail for one in found][-1]
        told = ", ".join(
            f"{k} {steps[k]:.1f} s" for k in ("fetch", "restore", "compare") if k in steps
        )
        cpu = median(one.cpu_seconds for one in found)
        cells = (title, words, f"{seconds[what]:.2f} s", ratio, f"{cpu:.2f} s", ours, told)
        sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


@contextmanager
def _servers(directory: Path, major: int) -> Iterator[Bench]:
    chosen = ports.choose(len(seaweed.COMPONENTS), pairs=True)
    store = RoomyStore(
        directory / "s3",
        directory / "weed.log",
        dict(zip(seaweed.COMPONENTS, chosen, strict=True)),
        "bench-" + secrets.token_hex(8),
        secrets.token_urlsafe(24),
    )
    programs = find_programs(major, server=True)
    with (
        using(directory, seaweed.NAME, prepare=store.program, wait_ready=store.wait_ready),
        throwaway_cluster(programs, work_dir=directory / "source") as server,
    ):
        sys.stdout.write(
            f"PostgreSQL {programs.version}, SeaweedFS, {machine()}, "
            f"{datetime.now(UTC):%Y-%m-%d}\n\n"
            "| database | what | seconds | ratio | CPU, servers included | peak memory | steps |\n"
            "|---|---|---|---|---|---|---|\n"
        )
        yield Bench(server, store.settings(), directory, major)


def machine() -> str:
    """What it was measured on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((one.partition(": ")[2] for one in lines if one.startswith("model name")), "")
    return f"{os.cpu_count()} cores of {model or platform.machine()}, {platform.system()}"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, nargs="*", default=[0.2, 1.0, 4.0])
    parser.add_argument("--rows", type=int, default=500_000, help="of Bounty's own tables")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--major", type=int, default=17, help="of PostgreSQL")
    options = parser.parse_args()
    aws = shutil.which("aws")
    with (
        tempfile.TemporaryDirectory(prefix="bounty-bench-", dir=options.directory) as directory,
        _servers(Path(directory), options.major) as bench,
    ):
        if options.rows:
            url = bench.seeded(options.rows)
            bench.compare("Bounty", url, options.repeats, aws)
        for gigabytes in options.gigabytes:
            url = bench.filled(gigabytes)
            large = gigabytes > _LARGE
            repeats = 1 if large else options.repeats
            bench.compare("orders", url, repeats, None if large else aws)
    if aws is None:
        sys.stdout.write("\n`aws` is not on PATH, so it was not compared with.\n")
    sys.stdout.write(f"\nMeasured with `python -m benchmarks.backup {shlex.join(sys.argv[1:])}`.\n")


if __name__ == "__main__":
    main()
