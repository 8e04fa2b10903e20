"""Deleting old collections."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from bounty_ops.schema.ops import Collection

if TYPE_CHECKING:
    from sqlalchemy import Engine


def prune(engine: Engine, environment: str, keep_days: int, *, now: datetime | None = None) -> int:
    """Delete collections older than `keep_days`; returns how many.

    The newest collection stays in any case: "nothing known" and "long ago" are not the same.
    """
    oldest = (now or datetime.now(UTC)) - timedelta(days=keep_days)
    of_environment = Collection.environment == environment
    newest = select(func.max(Collection.taken_at)).where(of_environment).scalar_subquery()
    with engine.begin() as connection:
        deleted = connection.execute(
            delete(Collection).where(
                of_environment, Collection.taken_at < oldest, Collection.taken_at < newest
            )
        )
    return deleted.rowcount
