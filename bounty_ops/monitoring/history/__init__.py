"""Keeping collections in the operations database, and getting them back as they were.

The operations database must be at its head revision. Errors are SQLAlchemy's; the caller, who
knows the URL, wraps the use of the engine in `bounty_ops.postgres.connect.translated`.
"""

from bounty_ops.monitoring.history.maintaining import Maintained, Retention, maintain
from bounty_ops.monitoring.history.memory import recall
from bounty_ops.monitoring.history.points import Point
from bounty_ops.monitoring.history.reading import collections_at, latest_collections
from bounty_ops.monitoring.history.series import Series, series
from bounty_ops.monitoring.history.size import HistorySize, history_size
from bounty_ops.monitoring.history.storing import store_collection
from bounty_ops.monitoring.history.subjects import subjects

__all__ = [
    "HistorySize",
    "Maintained",
    "Point",
    "Retention",
    "Series",
    "collections_at",
    "history_size",
    "latest_collections",
    "maintain",
    "recall",
    "series",
    "store_collection",
    "subjects",
]
