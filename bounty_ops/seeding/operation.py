"""Filling a development database with sample data: refuse, plan, write, report."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import UsageError
from bounty_ops.postgres.connect import connect
from bounty_ops.schema.bounty import Base
from bounty_ops.seeding.plan import plan_rows, table_order
from bounty_ops.seeding.world import World
from bounty_ops.seeding.write import (
    analyze_tables,
    copy_tables,
    lock_tables,
    require_empty,
    require_schema,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bounty_ops.environments import Environment

DEFAULT_SEED: Final = 20260101


@dataclass(frozen=True, slots=True)
class SeedResult:
    """What was written."""

    rows: Mapping[str, int]
    total: int
    seconds: float
    """Of all of it, statistics included."""
    written_seconds: float
    """Until the rows were committed."""
    seed: int


def seed(
    environment: Environment,
    *,
    rows: int,
    seed: int = DEFAULT_SEED,
    progress: Callable[[int], None] | None = None,
) -> SeedResult:
    """Write exactly `rows` rows of sample data into all of Bounty's tables, or none.

    The same seed and number make the same rows in every database. All is one transaction, so
    whatever interrupts it leaves the database empty. `progress` is told how many rows were sent.

    Raises:
        UsageError: the environment is protected, or the rows are too few for all tables.
        ConfigurationError: the environment is unconfigured.
        SeedingError: the schema is missing or behind, or a table is not empty.
        LockNotAvailable: somebody else writes into the tables.
        PostgresError: the database cannot be reached, or refused.
    """
    if environment.policy.protected:
        raise UsageError(
            f"environment {environment.name} is protected: no sample data is written to it",
            hint="Seeding is for development. Choose another environment with -e.",
        )
    counts = plan_rows(rows)
    url, order = environment.require_url(), table_order(Base.metadata)
    world = World(seed, counts)
    started = time.monotonic()
    with connect(
        url,
        application_name="bounty-ops seed",
        autocommit=False,
        statement_timeout_ms=0,  # a large COPY may take longer than the role's habit
        lock_timeout_ms=round(environment.policy.lock_timeout_seconds * 1000),
    ) as connection:
        require_schema(connection)
        lock_tables(connection, order)
        require_empty(connection, order)
        copy_tables(connection, world, order, progress or _ignore)
        connection.commit()
        written = time.monotonic() - started
        analyze_tables(connection, order)
    return SeedResult(counts, rows, time.monotonic() - started, written, seed)


def _ignore(_rows: int) -> None:
    """Nobody follows."""
