"""Measuring a database without disturbing it, and saying what could not be seen."""

from bounty_ops.monitoring.collecting import collect
from bounty_ops.monitoring.collectors.activity import Activity
from bounty_ops.monitoring.collectors.connections import ConnectionLimit, Connections
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.collectors.indexes import Indexes
from bounty_ops.monitoring.collectors.queries import Queries
from bounty_ops.monitoring.collectors.replication import Replication
from bounty_ops.monitoring.collectors.sequences import Sequences
from bounty_ops.monitoring.collectors.settings import ServerSettings
from bounty_ops.monitoring.collectors.tables import Tables
from bounty_ops.monitoring.findings import Finding, Severity
from bounty_ops.monitoring.history import (
    Retention,
    latest_collections,
    maintain,
    recall,
    store_collection,
)
from bounty_ops.monitoring.reporting import report
from bounty_ops.monitoring.result import CollectionResult, FamilyResult, Unknown

__all__ = [
    "Activity",
    "CollectionResult",
    "ConnectionLimit",
    "Connections",
    "Database",
    "FamilyResult",
    "Finding",
    "Indexes",
    "Queries",
    "Replication",
    "Retention",
    "Sequences",
    "ServerSettings",
    "Severity",
    "Tables",
    "Unknown",
    "collect",
    "latest_collections",
    "maintain",
    "recall",
    "report",
    "store_collection",
]
