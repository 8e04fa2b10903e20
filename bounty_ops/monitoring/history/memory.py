"""What one collection leaves to the next: kept with its samples, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from bounty_ops.schema.ops import CollectionMemory

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Engine

    from bounty_ops.monitoring.result import CollectionResult


def recall(
    engine: Engine, environment: str, families: Collection[str] | None = None
) -> dict[str, bytes]:
    """What the newest collections of an environment left to be remembered, by family.

    Of all families, or of some: a family's memory can be 100 KB, and vital signs come every minute.
    """
    remembered = select(CollectionMemory.family, CollectionMemory.body).where(
        CollectionMemory.environment == environment
    )
    if families is not None:
        remembered = remembered.where(CollectionMemory.family.in_(families))
    with engine.connect() as connection:
        return {row.family: row.body for row in connection.execute(remembered)}


def remember(connection: Connection, result: CollectionResult) -> None:
    """Keep what a collection left, unless a later one has been there.

    In the transaction that stores its samples: a memory that is ahead of them would lose an
    interval, and one that is behind would count it twice.
    """
    statement = insert(CollectionMemory)
    later = statement.on_conflict_do_update(
        index_elements=[CollectionMemory.environment, CollectionMemory.family],
        set_={"taken_at": statement.excluded.taken_at, "body": statement.excluded.body},
        where=CollectionMemory.taken_at <= statement.excluded.taken_at,
    )
    rows = [
        {
            "environment": result.environment,
            "family": family,
            "taken_at": result.taken_at,
            "body": body,
        }
        for family, body in result.memory.items()
    ]
    if rows:
        connection.execute(later, rows)
