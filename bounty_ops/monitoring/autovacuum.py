"""When autovacuum comes to a table, by the server's own rule and the table's own settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class AutovacuumSettings:
    """Those of the server; a negative threshold means that there is none."""

    enabled: bool
    threshold: float
    scale_factor: float
    max_threshold: float | None
    """From PostgreSQL 18 on."""
    insert_threshold: float
    insert_scale_factor: float
    freeze_max_age: int
    multixact_freeze_max_age: int


@dataclass(frozen=True)
class Trigger:
    """What makes autovacuum come to one table."""

    enabled: bool
    """False: it comes only before transaction ids run out."""
    dead_rows: float
    inserted_rows: float | None
    """None: inserts alone never make it come."""
    freeze_max_age: int
    multixact_freeze_max_age: int


def trigger(
    server: AutovacuumSettings, options: Iterable[str], rows: float, unfrozen: float = 1.0
) -> Trigger:
    """The trigger of a table with these storage parameters and so many rows in the catalog.

    `rows` is negative before the first VACUUM or ANALYZE, and counts as 0. `unfrozen` is the share
    of pages that are not all frozen, by which PostgreSQL 18 scales the trigger of inserts.
    """
    own = dict(option.split("=", 1) for option in options)

    def of(name: str, otherwise: float) -> float:
        return float(own.get(f"autovacuum_{name}", otherwise))

    count = max(0.0, rows)
    dead = of("vacuum_threshold", server.threshold) + count * of(
        "vacuum_scale_factor", server.scale_factor
    )
    if server.max_threshold is not None:
        most = of("vacuum_max_threshold", server.max_threshold)
        dead = min(dead, most) if most >= 0 else dead
    inserts = of("vacuum_insert_threshold", server.insert_threshold)
    scale = of("vacuum_insert_scale_factor", server.insert_scale_factor)
    return Trigger(
        enabled=server.enabled and _on(own.get("autovacuum_enabled", "true")),
        dead_rows=dead,
        inserted_rows=None if inserts < 0 else inserts + count * scale * unfrozen,
        freeze_max_age=min(server.freeze_max_age, int(of("freeze_max_age", server.freeze_max_age))),
        multixact_freeze_max_age=min(
            server.multixact_freeze_max_age,
            int(of("multixact_freeze_max_age", server.multixact_freeze_max_age)),
        ),
    )


def _on(text: str) -> bool:
    """A boolean as it may stand in a table's storage parameters: any beginning of a word."""
    word = text.lower()
    return word in {"1", "on"} or "true".startswith(word) or "yes".startswith(word)
