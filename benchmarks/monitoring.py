"""What a collection costs the server: ``python -m benchmarks.monitoring [tables ...]``.

On a throw-away PostgreSQL of its own with pg_stat_statements, which counts for each round the time
of all statements (planning and execution) and the bytes that were spilled. Beside ours run
statements that read what the metrics of postgres_exporter and of pgwatch are documented to hold;
they were written for this comparison, and the columns they read stand in them. Every table has
three indexes and a TOAST table. Prints a Markdown table. On a busy machine milliseconds are too
many; CPU time of the server's process says more.
"""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import psycopg

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.environments import Policy
from bounty_ops.monitoring.collectors import FAMILIES
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

#: postgres_exporter, collectors that are on by default: stat_user_tables, statio_user_tables.
EXPORTER: Final = (
    """SELECT current_database(), schemaname, relname, seq_scan, seq_tup_read, idx_scan,
        idx_tup_fetch, n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd, n_live_tup, n_dead_tup,
        n_mod_since_analyze, last_vacuum, last_autovacuum, last_analyze, last_autoanalyze,
        vacuum_count, autovacuum_count, analyze_count, autoanalyze_count,
        pg_indexes_size(relid), pg_table_size(relid)
    FROM pg_stat_user_tables""",
    """SELECT current_database(), schemaname, relname, heap_blks_read, heap_blks_hit,
        idx_blks_read, idx_blks_hit, toast_blks_read, toast_blks_hit, tidx_blks_read, tidx_blks_hit
    FROM pg_statio_user_tables""",
)
#: The same with stat_user_indexes and statio_user_indexes, which have to be switched on.
EXPORTER_INDEXES: Final = (
    *EXPORTER,
    """SELECT current_database(), schemaname, relname, indexrelname, idx_scan, idx_tup_read,
        idx_tup_fetch
    FROM pg_stat_user_indexes""",
    """SELECT current_database(), schemaname, relname, indexrelname, idx_blks_read, idx_blks_hit
    FROM pg_statio_user_indexes""",
)
#: pgwatch, metrics table_stats (which keeps 300 tables), table_io_stats and index_stats.
PGWATCH: Final = (
    """SELECT s.schemaname, s.relname, pg_table_size(s.relid), pg_total_relation_size(s.relid),
        CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_total_relation_size(c.reltoastrelid) END,
        extract(epoch FROM now() - greatest(s.last_vacuum, s.last_autovacuum)),
        extract(epoch FROM now() - greatest(s.last_analyze, s.last_autoanalyze)),
        s.seq_scan, s.seq_tup_read, s.idx_scan, s.idx_tup_fetch, s.n_tup_ins, s.n_tup_upd,
        s.n_tup_del, s.n_tup_hot_upd, s.n_live_tup, s.n_dead_tup, s.vacuum_count,
        s.autovacuum_count, s.analyze_count, s.autoanalyze_count, age(c.relfrozenxid)
    FROM pg_stat_user_tables AS s JOIN pg_class AS c ON c.oid = s.relid
    WHERE NOT EXISTS (SELECT FROM pg_locks AS l WHERE l.relation = s.relid
        AND l.mode = 'AccessExclusiveLock' AND l.granted)
    ORDER BY pg_total_relation_size(s.relid) DESC LIMIT 300""",
    """SELECT schemaname, relname, heap_blks_read, heap_blks_hit, idx_blks_read, idx_blks_hit,
        toast_blks_read, toast_blks_hit, tidx_blks_read, tidx_blks_hit
    FROM pg_statio_user_tables ORDER BY heap_blks_read + heap_blks_hit DESC LIMIT 300""",
    """SELECT s.schemaname, s.indexrelname, s.relname, s.idx_scan, s.idx_tup_read, s.idx_tup_fetch,
        pg_relation_size(s.indexrelid), i.indisvalid, i.indisprimary, i.indisunique,
        md5(pg_get_indexdef(s.indexrelid))
    FROM pg_stat_user_indexes AS s JOIN pg_index AS i USING (indexrelid)
    ORDER BY pg_relation_size(s.indexrelid) DESC LIMIT 300""",
)


@dataclass(frozen=True)
class Cost:
    """Of one round."""

    server_ms: float
    spilled_bytes: int
    received_bytes: int
    rows: int
    server_cpu_ms: float
    client_cpu_ms: float


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
        cpu, own = _cpu_ms(pid), time.process_time()
        work()
        own, cpu = time.process_time() - own - _Counting.spent, _cpu_ms(pid) - cpu
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
        self, names: Sequence[str], former: CollectionResult | None, at: datetime
    ) -> CollectionResult:
        """Some families, as `bounty_ops.monitoring.collect` does on its connection."""
        probe = open_probe(self.session, Policy(), former)
        families = {name: FAMILIES[name][1](probe).result for name in names}
        return CollectionResult("development", at, 0, families)

    def touch(self, tables: int) -> None:
        """Write to some of the tables, and wait until that is counted."""
        with psycopg.connect(**self.url.conninfo(), autocommit=True) as writer:  # type: ignore[arg-type] # libpq's words
            for number in range(tables):
                name = f"t{number * max(1, self.tables // max(tables, 1)) % self.tables}"
                writer.execute(
                    f"INSERT INTO {name} (name) VALUES ('more')".encode()  # noqa: S608 - a name of ours
                )

    def ours(self, changed: int) -> Cost:
        """Tables and indexes, of which so many tables changed since the collection before."""
        at = datetime.now(UTC)
        names = ["tables", "indexes"]
        former = self.collect(names, None, at)
        costs = []
        for _ in range(self.rounds):
            self.touch(changed)
            found: list[CollectionResult] = [former]
            costs.append(self.cost(partial(self._again, names, found, at)))
            former = found[-1]
        return _median(costs)

    def _again(self, names: Sequence[str], found: list[CollectionResult], at: datetime) -> None:
        found.append(self.collect(names, found[-1], at))

    def first(self, *names: str) -> Cost:
        """Some families, without a collection before."""
        at = datetime.now(UTC)
        return self.repeated(lambda: self.collect(names, None, at))

    def theirs(self, statements: Sequence[str]) -> Cost:
        """All of these statements."""

        def run() -> None:
            for statement in statements:
                self.session.execute(statement.encode()).fetchall()

        return self.repeated(run)

    def repeated(self, work: Callable[[], object]) -> Cost:
        """The median of some rounds after one that does not count."""
        work()
        return _median([self.cost(work) for _ in range(self.rounds)])


def _cpu_ms(pid: int) -> float:
    """CPU time of a process, to a nanosecond where the kernel says so."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
    except OSError:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        server_ms=median(cost.server_ms for cost in costs),
        spilled_bytes=max(cost.spilled_bytes for cost in costs),
        received_bytes=round(median(cost.received_bytes for cost in costs)),
        rows=round(median(cost.rows for cost in costs)),
        server_cpu_ms=median(cost.server_cpu_ms for cost in costs),
        client_cpu_ms=median(cost.client_cpu_ms for cost in costs),
    )


def _line(tables: int, what: str, cost: Cost) -> str:
    return (
        f"| {tables:,} | {what} | {cost.server_ms:.1f} | {cost.server_cpu_ms:.1f} | "
        f"{cost.spilled_bytes:,} | {cost.rows:,} | {cost.received_bytes / 1024:,.0f} | "
        f"{cost.client_cpu_ms:.0f} |\n"
    )


def measure(server: DatabaseUrl, tables: int, rounds: int) -> None:
    """Measure one size and print its lines."""
    bench = Bench(server, tables, rounds)
    works: list[tuple[str, Callable[[], Cost]]] = [
        ("ours: tables and indexes, nothing changed", partial(bench.ours, 0)),
        ("ours: the same, 2 % of the tables changed", partial(bench.ours, max(1, tables // 50))),
        ("ours: the same, 20 % changed", partial(bench.ours, tables // 5)),
        ("ours: the same, first and once a day", partial(bench.first, "tables", "indexes")),
        ("postgres_exporter's tables", partial(bench.theirs, EXPORTER)),
        ("the same with its indexes", partial(bench.theirs, EXPORTER_INDEXES)),
        ("pgwatch's tables and indexes (300 of each)", partial(bench.theirs, PGWATCH)),
    ]
    rest = [name for name in FAMILIES if name not in {"tables", "indexes"}]
    works += [(f"ours: {name}", partial(bench.first, name)) for name in rest]
    for what, work in works:
        sys.stdout.write(_line(tables, what, work()))
        sys.stdout.flush()


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
            "KiB received | CPU ms of the client |\n"
            "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        )
        for tables in options.tables:
            measure(server, tables, options.rounds)


if __name__ == "__main__":
    main()
