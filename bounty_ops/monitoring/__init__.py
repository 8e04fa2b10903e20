"""Measuring a database without disturbing it, and saying what could not be seen."""

from bounty_ops.monitoring.collecting import collect
from bounty_ops.monitoring.result import CollectionResult, FamilyResult, Unknown

__all__ = ["CollectionResult", "FamilyResult", "Unknown", "collect"]
