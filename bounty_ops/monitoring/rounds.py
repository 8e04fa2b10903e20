"""One round for the history: measure, with what the rounds before left behind, and keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.collecting import collect
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.collectors.indexes import Indexes
from bounty_ops.monitoring.collectors.queries import Queries
from bounty_ops.monitoring.collectors.sequences import Sequences
from bounty_ops.monitoring.collectors.tables import Tables
from bounty_ops.monitoring.history import latest_collections, recall, store_collection

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Engine

    from bounty_ops.environments import Environment
    from bounty_ops.monitoring.result import CollectionResult

_RELATIONS: Final = frozenset({Tables.family, Indexes.family})
_REMEMBERING: Final = frozenset({Database.family, Queries.family, Sequences.family})


def measure_and_keep(
    engine: Engine, environment: Environment, families: Collection[str] | None = None
) -> tuple[CollectionResult, int]:
    """Measure some families, or all, and store them; the result and its id.

    Relations that cannot have changed are taken over from the collection before, and statements
    are accounted for since then: what is not measured now is not read for it either.

    Raises:
        ServerUnavailable, PostgresError: as `collect` does; errors of the operations database are
            SQLAlchemy's.
    """
    wanted = None if families is None else frozenset(families)
    former = None
    if wanted is None or wanted & _RELATIONS:
        found = latest_collections(engine, environment.name, families=_RELATIONS)
        former = next(iter(found), None)
    remembering = _REMEMBERING if wanted is None else wanted & _REMEMBERING
    memory = recall(engine, environment.name, remembering) if remembering else None
    result = collect(environment, families=families, former=former, memory=memory)
    return result, store_collection(engine, result)
