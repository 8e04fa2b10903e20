"""Where a database is not what it should be, and the SQL that makes it so."""

from bounty_ops.migrating.drift.comparison import differences
from bounty_ops.migrating.drift.expected import expected_catalog
from bounty_ops.migrating.drift.model import Difference
from bounty_ops.migrating.drift.report import Against, DriftReport, drift, drift_at, live_catalog

__all__ = [
    "Against",
    "Difference",
    "DriftReport",
    "differences",
    "drift",
    "drift_at",
    "expected_catalog",
    "live_catalog",
]
