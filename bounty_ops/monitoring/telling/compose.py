"""One environment's view, from its newest collection and its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.monitoring.telling.cards import cards
from bounty_ops.monitoring.telling.tables import TABLES
from bounty_ops.monitoring.telling.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.environments import Environment
    from bounty_ops.monitoring.findings import Finding
    from bounty_ops.monitoring.result import CollectionResult
    from bounty_ops.monitoring.telling.view import Chart


def compose(
    environment: Environment,
    result: CollectionResult,
    findings: Sequence[Finding],
    charts: Sequence[Chart] = (),
) -> View:
    """Put together what a page says; the charts are those of `pictures`."""
    return View(
        environment=environment.name,
        protected=environment.policy.protected,
        taken_at=result.taken_at,
        cards=cards(result, findings, environment.policy),
        findings=findings,
        charts=tuple(charts),
        tables=tuple(table for tables in TABLES.values() for table in tables(result)),
    )
