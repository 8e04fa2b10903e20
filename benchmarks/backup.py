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
from typing import TYPE_CHECKING, Any, Final

from benchmarks.backup_steps import GIVEN
from benchmarks.backup_table import HEAD, Measured, print_rows
from benchmarks.link import slow_link
from benchmarks.processor_time import CpuSeconds, ServerSeconds
from bounty_ops.embedded import ports, seaweed, throwaway_cluster
from bounty_ops.embedded.sharing import using
from bounty_ops.environments import Environment, Policy
from bounty_ops.postgres.connect import connect, engine
from bounty_ops.postgres.programs import find_programs
from bounty_ops.schema.bounty import Base
from bounty_ops.seeding import seed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings

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
        before = ServerSeconds.of(self._work_dir)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.backup_steps", name],
            env={**os.environ, GIVEN: json.dumps(given)},
            stdout=subprocess.PIPE,
            check=True,
        )
        found = json.loads(done.stdout)
        time.sleep(1)
        after = ServerSeconds.of(self._work_dir)
        cpu = CpuSeconds(
            process=found.pop("process_seconds"),
            programs=found.pop("programs_seconds"),
            database=after.database - before.database,
            store=after.store - before.store,
        )
        return Measured(found.pop("seconds"), cpu, found.pop("peak_bytes"), detail=found)

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

    def compare(
        self, title: str, url: DatabaseUrl, repeats: int, aws: str | None, link: float | None
    ) -> None:
        """Measure everything on one database, by turns, and print the rows of the table."""
        dump = str(self._work_dir / "bare.dump")
        turns: dict[str, list[Measured]] = {}
        for turn in range(repeats):
            self._turn(turns, "pg_dump", "pg_dump", url, file="/dev/null")
            self._turn(turns, "fingerprints", "fingerprints", url)
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
            if link is not None:
                with slow_link(url, link) as far:
                    self._turn(turns, "linked pg_dump", "pg_dump", far, file="/dev/null")
                    self._turn(turns, "linked backup", "backup", far)
        size = _value(url, "SELECT pg_database_size(current_database())")
        print_rows(f"{title}, {size / 1000**3:.2f} GB", turns)

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


@contextmanager
def _servers(directory: Path, major: int) -> Iterator[Bench]:
    chosen = ports.choose(len(seaweed.COMPONENTS), pairs=True)
    store = seaweed.Seaweed(
        directory / "s3",
        directory / "weed.log",
        dict(zip(seaweed.COMPONENTS, chosen, strict=True)),
        "bench-" + secrets.token_hex(8),
        secrets.token_urlsafe(24),
        memory_limit="2GiB",
    )
    programs = find_programs(major, server=True)
    with (
        using(directory, seaweed.NAME, prepare=store.program, wait_ready=store.wait_ready),
        throwaway_cluster(programs, work_dir=directory / "source") as server,
    ):
        sys.stdout.write(
            f"PostgreSQL {programs.version}, SeaweedFS, {machine()}, "
            f"{datetime.now(UTC):%Y-%m-%d}\n\n"
            f"{HEAD}"
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
    parser.add_argument("--link", type=float, metavar="MBIT", help="also behind a link like this")
    options = parser.parse_args()
    aws = shutil.which("aws")
    with (
        tempfile.TemporaryDirectory(prefix="bounty-bench-", dir=options.directory) as directory,
        _servers(Path(directory), options.major) as bench,
    ):
        if options.rows:
            url = bench.seeded(options.rows)
            bench.compare("Bounty", url, options.repeats, aws, options.link)
        for gigabytes in options.gigabytes:
            url = bench.filled(gigabytes)
            large = gigabytes > _LARGE
            repeats = 1 if large else options.repeats
            bench.compare("orders", url, repeats, None if large else aws, options.link)
    if aws is None:
        sys.stdout.write("\n`aws` is not on PATH, so it was not compared with.\n")
    sys.stdout.write(f"\nMeasured with `python -m benchmarks.backup {shlex.join(sys.argv[1:])}`.\n")


if __name__ == "__main__":
    main()
