"""How much room samples take, and how fast they come back: ``python -m benchmarks.history``.

1,000 tables of 15 numbers each, sampled every hour for 10 days, 200 of them busy: all 15 numbers of
a busy table change every hour. That is what other layouts were measured with (bytes of a sample,
which is one table at one hour, with indexes): 594 as JSONB with a btree, 193 as a typed row, 75 as
one packed row a collection, 26 as typed rows of what changed.

It runs on a throw-away PostgreSQL of its own; `python -m benchmarks.history 100 48` takes 100
tables and 48 hours.
"""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, ClassVar

from pydantic import create_model
from sqlalchemy import create_engine, text

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.migrating import migrate_ops
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.history import (
    Retention,
    history_size,
    latest_collections,
    maintain,
    series,
    store_collection,
)
from bounty_ops.monitoring.result import CollectionResult, Entry, FamilyResult
from bounty_ops.postgres.programs import find_programs

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
ENVIRONMENT = "benchmark"
FIELDS = tuple(f"number_{number}" for number in range(15))


class _Named(Entry):
    name: str
    kind: str = "table"

    @property
    def subject(self) -> str:
        return f"public.{self.name}"


Table = create_model("Table", __base__=_Named, **dict.fromkeys(FIELDS, (int, ...)))  # type: ignore[call-overload] # fields by name


class Tables(FamilyResult):
    """Tables with 15 numbers each."""

    family: ClassVar[str] = "benchmark"
    lists: ClassVar[tuple[str, ...]] = ("tables",)

    count: int
    tables: tuple[Table, ...]  # type: ignore[valid-type] # made above


class Workload:
    """Counters of tables, some of which grow by every hour."""

    def __init__(self, tables: int) -> None:
        self._random = random.Random(1)  # noqa: S311 - numbers, not secrets
        self._values = [
            [int(10 ** self._random.uniform(2, 9)) for _ in FIELDS] for _ in range(tables)
        ]
        # Spread over the database, as they are.
        self._busy = self._random.sample(range(tables), tables // 5)

    def hour(self, hour: int) -> CollectionResult:
        """What is collected at an hour."""
        for table in self._busy:
            for field in range(len(FIELDS)):
                self._values[table][field] += self._random.randint(1, 20_000)
        tables = tuple(
            Table(name=f"table_{number}", **dict(zip(FIELDS, values, strict=True)))
            for number, values in enumerate(self._values)
        )
        found = Tables(count=len(tables), tables=tables)
        return CollectionResult(
            ENVIRONMENT, BEGIN + timedelta(hours=hour), 0.1, {"benchmark": found}
        )

    def busiest(self) -> str:
        """A table that changes."""
        return f"public.table_{self._busy[0]}"


def run(operations: Engine, tables: int, hours: int) -> None:
    """Store, measure, roll up, measure again."""
    workload = Workload(tables)
    maintain(operations, Retention(36_500, 36_500, 36_500), now=BEGIN, budget_seconds=0)
    storing = []
    for hour in range(hours):
        result = workload.hour(hour)
        storing.append(_milliseconds(lambda: store_collection(operations, result)))  # noqa: B023 - called at once
    samples = tables * hours
    _say(f"{tables} tables, {hours} hours, {samples:,} samples")
    _say(f"store a collection: median {median(storing):.0f} ms")
    _sizes(operations, samples, "as taken")
    _reads(operations, workload, hours)
    now = BEGIN + timedelta(hours=hours + 1)
    began = time.monotonic()
    for _ in range(hours // 24 + 1):
        maintain(operations, Retention(36_500, 36_500, 36_500), now=now, budget_seconds=600)
    _say(f"roll up: {(time.monotonic() - began) / max(hours // 24, 1):.1f} s a day")
    _sizes(operations, samples, "with rollups")
    _reads(operations, workload, hours)


def _sizes(operations: Engine, samples: int, what: str) -> None:
    size = history_size(operations)
    with operations.connect() as connection:
        body = connection.scalar(text("SELECT sum(octet_length(body)) FROM bounty_ops.sample"))
    parts = {
        "as taken": size.samples_bytes,
        "five minutes": size.five_minutes_bytes,
        "hourly": size.hourly_bytes,
        "names and texts": size.dictionaries_bytes,
    }
    _say(f"{what}: {size.total_bytes / samples:.1f} bytes a sample")
    split = ", ".join(f"{name} {part / samples:.1f}" for name, part in parts.items())
    _say(f"    {split}; the packs' own bytes {body / samples:.1f}")


def _reads(operations: Engine, workload: Workload, hours: int) -> None:
    end = BEGIN + timedelta(hours=hours)
    with operations.connect():  # a connection in the pool
        pass

    def chart(resolution: str) -> Callable[[], object]:
        return lambda: series(
            operations, ENVIRONMENT, "benchmark", workload.busiest(), FIELDS[0],
            since=BEGIN, until=end, resolution=resolution,  # type: ignore[arg-type] # one of them
        )  # fmt: skip

    for resolution in ("auto", "raw", "5min", "hourly"):
        found = chart(resolution)()
        times = [_milliseconds(chart(resolution)) for _ in range(25)]
        points = len(found.points)  # type: ignore[attr-defined] # a Series
        _say(
            f"chart of one table, {resolution}, {points} points: "
            f"best {min(times):.1f}, median {median(times):.1f} ms"
        )
    times = [_milliseconds(lambda: latest_collections(operations, ENVIRONMENT)) for _ in range(5)]
    _say(f"newest collection: best {min(times):.0f}, median {median(times):.0f} ms")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _milliseconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    """Run on a server of its own."""
    tables, hours = (int(each) for each in (*sys.argv[1:], *("1000", "240")[len(sys.argv) - 1 :]))
    FAMILIES["benchmark"] = (Tables, None)  # type: ignore[index,assignment] # a dict in truth
    programs = find_programs(17, server=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        throwaway_cluster(programs, work_dir=Path(directory), databases=["history"]) as server,
    ):
        url = server.with_database("history")
        migrate_ops(url)
        operations = create_engine(url.sqlalchemy())
        run(operations, tables, hours)
        operations.dispose()


if __name__ == "__main__":
    main()
