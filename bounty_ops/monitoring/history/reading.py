"""Getting collections back, exactly as they were."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import select

from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.history.texts import read_texts
from bounty_ops.monitoring.result import CollectionResult, FamilyResult, Unknown
from bounty_ops.schema.ops import Collection

if TYPE_CHECKING:
    from collections.abc import Collection as Names
    from datetime import datetime

    from sqlalchemy import Engine


def latest_collections(
    engine: Engine, environment: str, limit: int = 1, families: Names[str] | None = None
) -> list[CollectionResult]:
    """The newest collections of an environment, newest first.

    With `families`: the newest that have any of these, and nothing else of them.
    """
    chosen = (
        select(Collection.taken_at, Collection.seconds, Collection.unknown_id, Collection.details)
        .where(Collection.environment == environment)
        .order_by(Collection.taken_at.desc(), Collection.id.desc())
    )
    found: list[CollectionResult] = []
    with engine.connect() as connection:
        for taken_at, seconds, unknown, details in connection.execute(chosen.limit(1000)).all():
            entries = details["entries"]
            if families is not None and not set(families) & entries.keys():
                continue
            wanted = {
                name: samples
                for name, samples in entries.items()
                if families is None or name in families
            }
            missing = json.loads(read_texts(connection, [unknown])[unknown])
            found.append(_result(environment, taken_at, seconds, missing, wanted))
            if len(found) == limit:
                break
    return found


def _result(
    environment: str,
    taken_at: datetime,
    seconds: float,
    unknown: list[dict[str, str]],
    samples: dict[str, list[tuple[str, dict[str, Any]]]],
) -> CollectionResult:
    families: dict[str, FamilyResult] = {}
    missing = [Unknown(**entry) for entry in unknown]
    for name, subjects in samples.items():
        try:
            families[name] = FAMILIES[name][0].from_samples(dict(subjects))
        except (KeyError, ValidationError):
            # Written by another version of this program: not readable is not the same as empty.
            reason = "its samples were stored by another version of bounty-ops"
            missing.append(Unknown(name, "everything", reason, "Take a new collection"))
    return CollectionResult(
        environment=environment,
        taken_at=taken_at,
        seconds=seconds,
        families={name: families[name] for name in FAMILIES if name in families},
        unknown=tuple(missing),
    )
