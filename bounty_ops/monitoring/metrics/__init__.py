"""One registry of metrics: what is exposed, what its rules say, and what a dashboard shows."""

from bounty_ops.monitoring.metrics.exposing import Exposed, exposition
from bounty_ops.monitoring.metrics.metric import Metric, Reading
from bounty_ops.monitoring.metrics.registry import AGE, METRICS, UNKNOWN, metric

__all__ = [
    "AGE",
    "METRICS",
    "UNKNOWN",
    "Exposed",
    "Metric",
    "Reading",
    "exposition",
    "metric",
]
