"""What the operations database knows of each environment, for `exposing`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.history import latest_collections
from bounty_ops.monitoring.metrics.exposing import Exposed
from bounty_ops.schema.ops import Backup, Incident, Verification

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Engine

_SEVERITIES = ("critical", "warning")


def gather(engine: Engine, environments: Iterable[str], now: datetime) -> list[Exposed]:
    """Read the newest of everything; errors are SQLAlchemy's."""
    return [_environment(engine, name, now) for name in environments]


def _environment(engine: Engine, name: str, now: datetime) -> Exposed:
    newest = {}
    for family in FAMILIES:
        found = latest_collections(engine, name, 1, [family], now=now)
        if found:
            newest[family] = found[0]
    with engine.connect() as connection:
        backup = connection.scalar(
            select(func.max(Backup.taken_at)).where(Backup.environment == name)
        )
        proved = connection.scalar(
            select(func.max(Backup.taken_at))
            .join(Verification, Verification.backup_id == Backup.id)
            .where(Backup.environment == name, Verification.verdict == "proved")
        )
        incidents = _incidents(connection, name)
    return Exposed(
        environment=name,
        newest=newest,
        backup_age_seconds=_age(backup, now),
        proof_age_seconds=_age(proved, now),
        incidents=incidents,
    )


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (now - moment).total_seconds())


def _incidents(connection: Connection, name: str) -> dict[str, int]:
    found = connection.execute(
        select(Incident.severity, func.count())
        .where(Incident.environment == name, Incident.state == "firing")
        .group_by(Incident.severity)
    )
    counts: dict[str, int] = {severity: count for severity, count in found}  # noqa: C416 - rows are no pairs to mypy
    return {**dict.fromkeys(_SEVERITIES, 0), **counts}
