"""A dashboard for Grafana over the metrics of the registry: every panel asks for what is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bounty_ops.monitoring.metrics.metric import PREFIX
from bounty_ops.monitoring.metrics.registry import AGE, UNKNOWN, metric

#: Grafana's names of units.
_UNITS: Final = {"bytes": "bytes", "seconds": "s", "ratio": "percentunit", "count": "short"}
_WIDTH: Final = 8
_HEIGHT: Final = 7
_COLUMNS: Final = 24 // _WIDTH
_HERE: Final = '{environment=~"$environment"}'


@dataclass(frozen=True)
class Panel:
    """One graph: expressions with their legends."""

    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]


def _gauge(title: str, *names: str, legend: str = "{{environment}}") -> Panel:
    chosen = [metric(name) for name in names]
    several = len(chosen) > 1
    lines = tuple(
        (one.full_name + _HERE, f"{legend} {one.name}" if several else legend) for one in chosen
    )
    return Panel(title, chosen[0].unit, lines)


def _rate(title: str, *names: str) -> Panel:
    chosen = [metric(name) for name in names]
    lines = tuple(
        (f"rate({one.full_name}{_HERE}[$__rate_interval])", f"{{{{environment}}}} {one.name}")
        for one in chosen
    )
    return Panel(title, chosen[0].unit, lines)


def _hit() -> Panel:
    hit, read = (
        f"rate({metric(name).full_name}{_HERE}[$__rate_interval])"
        for name in ("blocks_hit", "blocks_read")
    )
    return Panel("Found in the cache", "ratio", ((f"{hit} / ({hit} + {read})", "{{environment}}"),))


PANELS: Final[tuple[Panel, ...]] = (
    Panel("Firing incidents", "count",
          ((f"{PREFIX}incidents{_HERE}", "{{environment}} {{severity}}"),)),
    Panel("Age of the newest backup, and of the newest proved one", "seconds",
          ((f"{PREFIX}backup_age_seconds{_HERE}", "{{environment}} backup"),
           (f"{PREFIX}proved_backup_age_seconds{_HERE}", "{{environment}} proved"))),
    Panel("Age of what is shown here", "seconds",
          ((f"max by (environment, family) ({AGE}{_HERE})", "{{environment}} {{family}}"),)),
    _gauge("Connections and their limit", "connections_used", "connections_limit"),
    Panel("Connections by state", "count",
          ((f"{metric('connections').full_name}{_HERE}", "{{environment}} {{state}}"),)),
    _gauge("Waiting for locks", "blocked_sessions"),
    _gauge("Longest", "longest_query_seconds", "longest_transaction_seconds",
           "longest_idle_in_transaction_seconds", "longest_wait_seconds"),
    _rate("Transactions a second", "commits", "rollbacks"),
    _rate("Rows changed a second", "rows_inserted", "rows_updated", "rows_deleted"),
    _hit(),
    _rate("WAL a second", "wal_bytes"),
    _rate("Temporary files a second", "temp_bytes"),
    _rate("Deadlocks a second", "deadlocks"),
    _gauge("Size", "database_size_bytes"),
    _gauge("Largest tables", "table_bytes", legend="{{environment}} {{schema}}.{{table}}"),
    _gauge("Dead rows as a share of autovacuum's trigger", "table_dead_ratio",
           legend="{{environment}} {{schema}}.{{table}}"),
    _gauge("Transaction ids used", "xid_age", "xid_limit"),
    _gauge("Fullest sequence", "fullest_sequence_ratio"),
    _gauge("Held back by", "oldest_xmin_age"),
    _gauge("WAL kept by slots", "slots_retained_bytes"),
    Panel("Unknown", "count", ((f"{UNKNOWN}{_HERE}", "{{environment}} {{family}}"),)),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    """The whole, to be imported; it asks which data source is meant."""
    return {
        "title": "bounty-ops",
        "uid": "bounty-ops",
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_source(), _environments()]},
        "panels": [_panel(number, panel) for number, panel in enumerate(PANELS)],
    }


def _source() -> dict[str, Any]:
    return {
        "name": "source",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
    }


def _environments() -> dict[str, Any]:
    return {
        "name": "environment",
        "label": "Environment",
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "query": {"query": f"label_values({AGE}, environment)", "refId": "environments"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    source = {"type": "prometheus", "uid": "${source}"}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {
            # What was not measured is a gap, never a line.
            "defaults": {
                "unit": _UNITS[panel.unit],
                "min": 0,
                "custom": {"spanNulls": False, "fillOpacity": 8},
            },
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": source, "expr": expression,
             "legendFormat": legend}
            for place, (expression, legend) in enumerate(panel.lines)
        ],
    }  # fmt: skip
