"""What one round of a collection cost, and the middle of several rounds."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Cost:
    """Of one round."""

    server_ms: float
    spilled_bytes: int
    received_bytes: int
    rows: int
    server_cpu_ms: float
    client_cpu_ms: float
    stored_bytes: int | None = None
    """Of the rows that the history gets, without indexes."""


def cpu_ms(pid: int) -> float:
    """CPU time of a process, to a nanosecond where the kernel says so."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
    except OSError:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def median_of(costs: Sequence[Cost]) -> Cost:
    """The middle of each figure, and the largest spill."""
    stored = [cost.stored_bytes for cost in costs]
    return Cost(
        server_ms=median(cost.server_ms for cost in costs),
        spilled_bytes=max(cost.spilled_bytes for cost in costs),
        received_bytes=round(median(cost.received_bytes for cost in costs)),
        rows=round(median(cost.rows for cost in costs)),
        server_cpu_ms=median(cost.server_cpu_ms for cost in costs),
        client_cpu_ms=median(cost.client_cpu_ms for cost in costs),
        stored_bytes=None if None in stored else round(median(filter(None, stored))),
    )
