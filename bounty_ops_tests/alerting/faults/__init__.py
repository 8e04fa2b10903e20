"""Faults made on real servers, for the default rules: what breaks, what is told, what mends.

`ALL` is the table of them. Each is a generator in three parts, divided by two `yield`s: what is
there while all is well, what breaks it, what mends it.
"""

from __future__ import annotations

from bounty_ops_tests.alerting.faults import (
    counters,
    dagsters,
    keeping,
    nights,
    releases,
    sessions,
    storage,
    watchers,
)
from bounty_ops_tests.alerting.faults.table import Fault

__all__ = ["ALL", "Fault"]

ALL: tuple[Fault, ...] = tuple(
    fault
    for module in (
        watchers, sessions, counters, storage, nights, keeping, releases, dagsters,
    )
    for fault in module.FAULTS
)  # fmt: skip
