"""The newest collections as OpenMetrics.

What is too old is not exposed: a line that ends is right, one that goes on as if nothing had
happened is not. How old each family is, is always exposed, and so is how much of it is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.metrics.metric import PREFIX
from bounty_ops.monitoring.metrics.registry import AGE, METRICS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from prometheus_client import Metric as Exposition

    from bounty_ops.monitoring.metrics.metric import Metric
    from bounty_ops.monitoring.result import Cadence, CollectionResult

CONTENT_TYPE: Final = OPENMETRICS
#: Three rounds that did not come, and what was seen last is no answer any more.
MAX_AGE: Final[Mapping[Cadence, timedelta]] = {
    "vitals": timedelta(minutes=3),
    "deltas": timedelta(minutes=15),
    "tables": timedelta(hours=3),
}


@dataclass(frozen=True)
class Exposed:
    """What is known of one environment."""

    environment: str
    newest: Mapping[str, CollectionResult]
    """By family, the newest collection that has it."""
    backup_age_seconds: float | None = None
    proof_age_seconds: float | None = None
    incidents: Mapping[str, int] | None = None
    """Firing ones by severity; None: they cannot be read."""


def exposition(environments: Sequence[Exposed], now: datetime) -> bytes:
    """All of it in the OpenMetrics text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(environments, now))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call] # it has no types
    return text


class _Collector(Collector):
    def __init__(self, environments: Sequence[Exposed], now: datetime) -> None:
        self._environments = environments
        self._now = now

    def describe(self) -> Iterable[Exposition]:
        """Nothing: names are not known before something is measured."""
        return ()

    def collect(self) -> Iterator[Exposition]:
        """Every metric of every environment."""
        yield from self._about_collections()
        yield from self._records()
        for metric in METRICS:
            yield self._one(metric)

    def _one(self, metric: Metric) -> Exposition:
        labels = ("environment", *metric.labels)
        kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
        family = kind(f"{PREFIX}{metric.name}", metric.help, labels=labels)
        for exposed in self._environments:
            found = self._fresh(exposed, metric.family.family)
            if found is None:
                continue
            result = found.family(metric.family)
            for reading in () if result is None else metric.read(result):
                if reading.value is not None:
                    words = (exposed.environment, *reading.labels)
                    family.add_metric(words, float(reading.value))
        return family

    def _fresh(self, exposed: Exposed, family: str) -> CollectionResult | None:
        found = exposed.newest.get(family)
        kind = FAMILIES[family][0]
        if found is None or self._now - found.taken_at > MAX_AGE[kind.cadence]:
            return None
        return found

    def _about_collections(self) -> Iterator[Exposition]:
        labels = ("environment", "family")
        age = GaugeMetricFamily(AGE, "Age of the newest collection of a family.", labels=labels)
        unknown = GaugeMetricFamily(
            UNKNOWN, "Things of a family that could not be seen.", labels=labels
        )
        for exposed in self._environments:
            for family, found in exposed.newest.items():
                words = (exposed.environment, family)
                age.add_metric(words, (self._now - found.taken_at).total_seconds())
                count = sum(one.family == family for one in found.unknown)
                unknown.add_metric(words, float(count))
        yield age
        yield unknown

    def _records(self) -> Iterator[Exposition]:
        backup = GaugeMetricFamily(
            f"{PREFIX}backup_age_seconds",
            "Age of what the newest backup holds.",
            labels=("environment",),
        )
        proof = GaugeMetricFamily(
            f"{PREFIX}proved_backup_age_seconds",
            "Age of what the newest backup holds that a restore has proved.",
            labels=("environment",),
        )
        incidents = GaugeMetricFamily(
            f"{PREFIX}incidents", "Incidents that are firing.", labels=("environment", "severity")
        )
        for exposed in self._environments:
            name = (exposed.environment,)
            if exposed.backup_age_seconds is not None:
                backup.add_metric(name, exposed.backup_age_seconds)
            if exposed.proof_age_seconds is not None:
                proof.add_metric(name, exposed.proof_age_seconds)
            for severity, count in (exposed.incidents or {}).items():
                incidents.add_metric((exposed.environment, severity), float(count))
        yield backup
        yield proof
        yield incidents
