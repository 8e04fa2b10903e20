"""Storing a collection."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import insert

from bounty_ops.monitoring.history.texts import store_texts
from bounty_ops.schema.ops import Collection

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bounty_ops.monitoring.result import CollectionResult


def store_collection(engine: Engine, result: CollectionResult) -> int:
    """Store one collection, all or nothing; returns its id."""
    families = json.dumps({name: {} for name in result.families})
    unknown = json.dumps([vars(each) for each in result.unknown])
    texts = store_texts(engine, {families, unknown}, datetime.now(UTC).date())
    entries = {name: list(family.samples()) for name, family in result.families.items()}
    with engine.begin() as connection:
        identity: int = connection.execute(
            insert(Collection)
            .values(
                environment=result.environment,
                taken_at=result.taken_at,
                seconds=result.seconds,
                families_id=texts[families],
                unknown_id=texts[unknown],
                details={"entries": entries},
            )
            .returning(Collection.id)
        ).scalar_one()
    return identity
