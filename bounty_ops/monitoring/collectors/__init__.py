"""One module a family; each measures with one statement or a few, and may fail on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.collectors.activity import Activity, collect_activity
from bounty_ops.monitoring.collectors.connections import Connections, collect_connections
from bounty_ops.monitoring.collectors.database import Database, collect_database
from bounty_ops.monitoring.collectors.indexes import Indexes, collect_indexes
from bounty_ops.monitoring.collectors.queries import Queries, collect_queries
from bounty_ops.monitoring.collectors.replication import Replication, collect_replication
from bounty_ops.monitoring.collectors.sequences import Sequences, collect_sequences
from bounty_ops.monitoring.collectors.settings import ServerSettings, collect_settings
from bounty_ops.monitoring.collectors.tables import Tables, collect_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.monitoring.probe import Collector
    from bounty_ops.monitoring.result import FamilyResult

#: Every family with its result and its collector, in the order of collection.
FAMILIES: Final[Mapping[str, tuple[type[FamilyResult], Collector]]] = {
    Connections.family: (Connections, collect_connections),
    Activity.family: (Activity, collect_activity),
    Database.family: (Database, collect_database),
    Sequences.family: (Sequences, collect_sequences),
    Replication.family: (Replication, collect_replication),
    ServerSettings.family: (ServerSettings, collect_settings),
    Queries.family: (Queries, collect_queries),
    Tables.family: (Tables, collect_tables),
    Indexes.family: (Indexes, collect_indexes),
}
