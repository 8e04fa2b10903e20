"""One module a family; each measures with one statement or a few, and may fail on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.collectors.connections import Connections, collect_connections
from bounty_ops.monitoring.collectors.indexes import Indexes, collect_indexes
from bounty_ops.monitoring.collectors.queries import Queries, collect_queries
from bounty_ops.monitoring.collectors.tables import Tables, collect_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.monitoring.probe import Collector
    from bounty_ops.monitoring.result import FamilyResult

#: Every family with its result and its collector, in the order of collection.
FAMILIES: Final[Mapping[str, tuple[type[FamilyResult], Collector]]] = {
    Connections.family: (Connections, collect_connections),
    Queries.family: (Queries, collect_queries),
    Tables.family: (Tables, collect_tables),
    Indexes.family: (Indexes, collect_indexes),
}
