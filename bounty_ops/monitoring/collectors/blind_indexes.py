"""What cannot be known about indexes: to which role, and on which server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.monitoring.collectors.columns import SELECT_REMEDY
from bounty_ops.monitoring.probe import identifier
from bounty_ops.monitoring.result import Unknown

if TYPE_CHECKING:
    from bounty_ops.monitoring.collectors.indexes import Indexes
    from bounty_ops.monitoring.probe import Probe


def blind_spots(probe: Probe, result: Indexes) -> tuple[Unknown, ...]:
    """What the numbers of a collection leave open."""
    missing = []
    hidden = [index for index in result.indexes if index.hidden]
    if hidden:
        missing.append(
            Unknown(
                family=result.family,
                subject="bloat of indexes",
                reason=f"{probe.user} may not read the columns of {len(hidden)} indexes "
                f"({hidden[0].subject} among them), so pg_stats does not show how wide they are",
                remedy=SELECT_REMEDY.format(user=identifier(probe.user)),
            )
        )
    if result.hidden_builds:
        missing.append(
            Unknown(
                family=result.family,
                subject="which indexes are being built",
                reason=f"{result.hidden_builds} statements of other roles are building indexes, "
                f"and {probe.user} may not see which",
                remedy=probe.grant_stats(),
            )
        )
    if result.statistics_since is None:
        missing.append(
            Unknown(
                family=result.family,
                subject="since when index use is counted",
                reason="the server does not say when its statistics began, so an index without "
                "scans may be new to them rather than unused",
                remedy="Compare collections over time; pg_stat_reset() would make the moment known "
                "but loses what was counted",
            )
        )
    return tuple(missing)
