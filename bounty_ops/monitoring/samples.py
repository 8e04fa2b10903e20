"""Keeping collections in the operations database, and getting them back as they were.

The operations database must be at its head revision. Errors are SQLAlchemy's; the caller, who
knows the URL, wraps the use of the engine in `bounty_ops.postgres.connect.translated`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import delete, func, insert, select

from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.result import CollectionResult, FamilyResult, Unknown
from bounty_ops.schema.ops import Collection, Sample

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


def store_collection(engine: Engine, result: CollectionResult) -> int:
    """Store one collection with a sample for each subject, all or nothing; returns its id."""
    with engine.begin() as connection:
        identity: int = connection.execute(
            insert(Collection)
            .values(
                environment=result.environment,
                taken_at=result.taken_at,
                seconds=result.seconds,
                unknown=[vars(unknown) for unknown in result.unknown],
            )
            .returning(Collection.id)
        ).scalar_one()
        samples = [
            {"collection_id": identity, "family": name, "subject": subject, "measures": measures}
            for name, family in result.families.items()
            for subject, measures in family.samples()
        ]
        if samples:
            connection.execute(insert(Sample), samples)
    return identity


def latest_collections(engine: Engine, environment: str, limit: int = 1) -> list[CollectionResult]:
    """The newest collections of an environment, newest first."""
    chosen = (
        select(Collection.id, Collection.taken_at, Collection.seconds, Collection.unknown)
        .where(Collection.environment == environment)
        .order_by(Collection.taken_at.desc(), Collection.id.desc())
        .limit(limit)
    )
    with engine.connect() as connection:
        return [
            _result(environment, taken_at, seconds, unknown, _samples(connection, identity))
            for identity, taken_at, seconds, unknown in connection.execute(chosen).all()
        ]


def prune(engine: Engine, environment: str, keep_days: int, *, now: datetime | None = None) -> int:
    """Delete collections older than `keep_days`, with their samples; returns how many.

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


def _samples(connection: Connection, identity: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Measures by family and subject."""
    rows = connection.execute(
        select(Sample.family, Sample.subject, Sample.measures).where(
            Sample.collection_id == identity
        )
    )
    families: dict[str, dict[str, dict[str, Any]]] = {}
    for family, subject, measures in rows:
        families.setdefault(family, {})[subject] = measures
    return families


def _result(
    environment: str,
    taken_at: datetime,
    seconds: float,
    unknown: list[dict[str, str]],
    samples: dict[str, dict[str, dict[str, Any]]],
) -> CollectionResult:
    families: dict[str, FamilyResult] = {}
    missing = [Unknown(**entry) for entry in unknown]
    for name, subjects in samples.items():
        try:
            families[name] = FAMILIES[name][0].from_samples(subjects)
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
