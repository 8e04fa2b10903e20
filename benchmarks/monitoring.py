"""What a collection costs the server: ``python -m benchmarks.monitoring [tables ...]``.

On a throw-away PostgreSQL of its own with pg_stat_statements, which counts for each round the time
of all statements (planning and execution) and the bytes that were spilled. Beside ours run
statements that read what the metrics of postgres_exporter and of pgwatch hold. Every table has
three indexes and a TOAST table. Stored bytes are those of rows in the history, without indexes.
"""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
from sqlalchemy import create_engine, text

from benchmarks import monitoring_exporter
from benchmarks.monitoring_costs import Cost, cpu_ms, median_of
from benchmarks.monitoring_others import EXPORTER, EXPORTER_INDEXES, PGWATCH
from bounty_ops.embedded import throwaway_cluster
from bounty_ops.environments import Policy
from bounty_ops.migrating import migrate_ops
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.history import Retention, maintain, store_collection
from bounty_ops.monitoring.probe import open_probe
from bounty_ops.monitoring.result import CollectionResult
from bounty_ops.postgres.programs import find_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bounty_ops.environments import DatabaseUrl

_TABLE: Final = """
    CREATE TABLE {name} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner integer,
        name text NOT NULL, body text, created_at timestamptz NOT NULL DEFAULT now());
    CREATE INDEX ON {name} (owner);
    CREATE INDEX ON {name} (name, created_at);
    INSERT INTO {name} (owner, name, body)
        SELECT i, md5(i::text), repeat('x', 100) FROM generate_series(1, 50) AS i;
"""
_TABLES_A_TRANSACTION: Final = 50


class _Counting(psycopg.Cursor[Any]):
    """A cursor that knows how many rows and bytes it was sent."""

    received = 0
    rows = 0
    spent = 0.0
    """The time that counting took, which is none of what is measured."""

    def execute(self, *arguments: Any, **keywords: Any) -> _Counting:  # noqa: ANN401 - as in psycopg
        super().execute(*arguments, **keywords)
        began = time.process_time()
        if (result := self.pgresult) is not None:
            _Counting.rows += result.ntuples
            for row in range(result.ntuples):
                values = (result.get_value(row, field) for field in range(result.nfields))
                _Counting.received += 7 + sum(4 + len(value or b"") for value in values)
        _Counting.spent += time.process_time() - began
        return self


class Bench:
    """One database with so many tables, and one connection that measures it."""

    def __init__(self, server: DatabaseUrl, tables: int, rounds: int) -> None:
        self.url = server.with_database(f"of_{tables}")
        self.tables, self.rounds = tables, rounds
        self.admin = psycopg.connect(**server.conninfo(), autocommit=True)  # type: ignore[arg-type] # libpq's words
        self.admin.execute(f"CREATE DATABASE of_{tables}".encode())
        self.fill()
        self.session = self.connect()
        history = server.with_database(f"history_of_{tables}")
        self.admin.execute(f"CREATE DATABASE {history.database}".encode())
        migrate_ops(history)
        self.history = create_engine(history.sqlalchemy())
        maintain(self.history, Retention(7, 90, 730), now=datetime.now(UTC), budget_seconds=0)

    def connect(self) -> psycopg.Connection[Any]:
        """A session of the database that counts what it is sent."""
        return psycopg.connect(
            **self.url.conninfo(),  # type: ignore[arg-type] # libpq's words
            autocommit=True,
            prepare_threshold=None,
            cursor_factory=_Counting,
        )

    def fill(self) -> None:
        """Make the tables."""
        with psycopg.connect(**self.url.conninfo()) as connection:  # type: ignore[arg-type] # libpq's words
            for number in range(self.tables):
                connection.execute(_TABLE.format(name=f"t{number}").encode(), prepare=False)
                if number % _TABLES_A_TRANSACTION == 0:
                    connection.commit()
            connection.commit()
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE")

    def cost(self, work: Callable[[], object]) -> Cost:
        """Run something once on the measuring session."""
        pid = self.session.info.backend_pid
        self.admin.execute("SELECT pg_stat_statements_reset()")
        _Counting.received, _Counting.rows, _Counting.spent = 0, 0, 0.0
        cpu, own = cpu_ms(pid), time.process_time()
        work()
        own, cpu = time.process_time() - own - _Counting.spent, cpu_ms(pid) - cpu
        row = self.admin.execute(
            "SELECT coalesce(sum(total_exec_time + total_plan_time), 0)::float8, "
            "coalesce(sum(temp_blks_written), 0)::bigint * 8192 "
            "FROM pg_stat_statements WHERE toplevel AND dbid = "
            "(SELECT oid FROM pg_database WHERE datname = %s)",
            (self.url.database,),
        ).fetchone()
        assert row is not None  # noqa: S101 - an aggregate has one row
        return Cost(row[0], row[1], _Counting.received, _Counting.rows, cpu, own * 1000)

    def collect(
        self, names: Sequence[str], former: CollectionResult | None = None
    ) -> CollectionResult:
        """Some families, as `bounty_ops.monitoring.collect` does on its connection."""
        memory = None if former is None else former.memory
        probe = open_probe(self.session, Policy(), former, memory)
        found = {name: FAMILIES[name][1](probe) for name in names}
        families = {name: measured.result for name, measured in found.items()}
        left = {name: each.memory for name, each in found.items() if each.memory is not None}
        return CollectionResult("development", datetime.now(UTC), 0, families, memory=left)

    def store(self, result: CollectionResult) -> int:
        """Into the history; how many bytes of rows that makes."""
        before = self._stored()
        store_collection(self.history, result)
        return self._stored() - before

    def _stored(self) -> int:
        parts = " + ".join(
            f"coalesce((SELECT sum(pg_column_size(t)) FROM bounty_ops.{name} AS t), 0)"  # noqa: S608 - names of ours
            for name in ("sample", "sample_text", "collection", "collection_memory")
        )
        with self.history.connect() as connection:
            return int(connection.execute(text(f"SELECT {parts}")).scalar_one())

    def touch(self, tables: int) -> None:
        """Write to some of the tables, and wait until that is counted."""
        with psycopg.connect(**self.url.conninfo(), autocommit=True) as writer:  # type: ignore[arg-type] # libpq's words
            for number in range(tables):
                name = f"t{number * max(1, self.tables // max(tables, 1)) % self.tables}"
                writer.execute(
                    f"INSERT INTO {name} (name) VALUES ('more')".encode()  # noqa: S608 - a name of ours
                )

    def again(self, names: Sequence[str], changed: int = 0) -> Cost:
        """Some families, of whose tables so many changed since the collection before."""
        former = self.collect(names)
        self.store(former)
        costs = []
        for _ in range(self.rounds):
            self.touch(changed)
            found: list[CollectionResult] = []
            cost = self.cost(partial(self._look, names, former, found))
            costs.append(replace(cost, stored_bytes=self.store(found[0])))
            former = replace(found[0], memory={**former.memory, **found[0].memory})
        return median_of(costs)

    def _look(
        self, names: Sequence[str], former: CollectionResult, found: list[CollectionResult]
    ) -> None:
        found.append(self.collect(names, former))

    def first(self, *names: str) -> Cost:
        """Some families, without a collection before."""
        return self.repeated(lambda: self.collect(names))

    def theirs(self, statements: Sequence[str]) -> Cost:
        """All of these statements."""

        def run() -> None:
            for statement in statements:
                self.session.execute(statement.encode()).fetchall()

        return self.repeated(run)

    def real_exporter(self, path: str) -> Cost:
        """A scrape of the program itself."""
        with monitoring_exporter.exporter(path, self.url) as running:
            running.scrape()
            return median_of([self._scrape(running) for _ in range(self.rounds)])

    def _scrape(self, running: monitoring_exporter.Exporter) -> Cost:
        received, before, own = 0, self._sessions_cpu_ms(), running.cpu_ms()

        def scrape() -> None:
            nonlocal received
            received = running.scrape()

        cost = self.cost(scrape)
        return replace(
            cost,
            received_bytes=received,
            server_cpu_ms=self._sessions_cpu_ms() - before,
            client_cpu_ms=running.cpu_ms() - own,
        )

    def _sessions_cpu_ms(self) -> float:
        found = self.admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s",
            (monitoring_exporter.SESSION,),
        )
        return sum(cpu_ms(pid) for (pid,) in found)

    def repeated(self, work: Callable[[], object]) -> Cost:
        """The median of some rounds after one that does not count."""
        work()
        return median_of([self.cost(work) for _ in range(self.rounds)])


def _line(tables: int, what: str, cost: Cost) -> str:
    stored = "" if cost.stored_bytes is None else f"{cost.stored_bytes:,}"
    return (
        f"| {tables:,} | {what} | {cost.server_ms:.1f} | {cost.server_cpu_ms:.1f} | "
        f"{cost.spilled_bytes:,} | {cost.rows:,} | {cost.received_bytes / 1024:,.0f} | "
        f"{cost.client_cpu_ms:.0f} | {stored} |\n"
    )


def measure(server: DatabaseUrl, tables: int, rounds: int) -> None:
    """Measure one size and print its lines."""
    bench = Bench(server, tables, rounds)
    relations = ("tables", "indexes")
    works: list[tuple[str, Callable[[], Cost]]] = [
        ("ours: tables and indexes, nothing changed", partial(bench.again, relations)),
        (
            "ours: the same, 2 % of the tables changed",
            partial(bench.again, relations, max(1, tables // 50)),
        ),
        ("ours: the same, 20 % changed", partial(bench.again, relations, tables // 5)),
        ("ours: the same, first and once a day", partial(bench.first, *relations)),
        ("postgres_exporter's tables", partial(bench.theirs, EXPORTER)),
        ("the same with its indexes", partial(bench.theirs, EXPORTER_INDEXES)),
        ("pgwatch's tables and indexes (300 of each)", partial(bench.theirs, PGWATCH)),
    ]
    if path := monitoring_exporter.program():
        what = f"postgres_exporter {monitoring_exporter.version(path)} itself, all that it asks"
        works.append((what, partial(bench.real_exporter, path)))
    rest = (name for name in FAMILIES if name not in relations)
    works += [(f"ours: {name}", partial(bench.again, [name])) for name in rest]
    works += [
        ("ours: database, every five minutes", partial(bench.first, "database")),
        ("ours: sequences, after a migration", partial(bench.first, "sequences")),
    ]
    for what, work in works:
        print(_line(tables, what, work()), end="", flush=True)  # noqa: T201 - what it is for


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("tables", nargs="*", type=int, default=[37, 1000, 10_000])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--major", type=int, default=18)
    options = parser.parse_args()
    settings = {
        "shared_preload_libraries": "pg_stat_statements",
        "pg_stat_statements.track_planning": "on",
        "jit": "on",
    }
    with (
        tempfile.TemporaryDirectory() as directory,
        throwaway_cluster(
            find_programs(options.major, server=True), work_dir=Path(directory), settings=settings
        ) as server,
    ):
        with psycopg.connect(**server.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # libpq's words
            connection.execute("CREATE EXTENSION pg_stat_statements")
        sys.stdout.write(
            f"PostgreSQL {options.major}, load of the machine {os.getloadavg()[0]:.1f}\n\n"
            "| tables | what | ms at the server | CPU ms at the server | bytes spilled | rows | "
            "KiB received | CPU ms of the client | bytes stored |\n"
            "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        )
        for tables in options.tables:
            measure(server, tables, options.rounds)


if __name__ == "__main__":
    main()
