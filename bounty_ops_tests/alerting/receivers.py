"""An Alertmanager as far as its v2 API goes: refuses what the real one refuses, keeps its alerts.

Written after its OpenAPI document (`postableAlerts`) and its validation of alerts; it takes real
HTTP requests.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_FIELDS: Final = {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Alert:
    """One alert as it is kept."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime
    generator: str | None

    def firing(self, now: datetime) -> bool:
        return now < self.ends_at


def read_alerts(content: object) -> list[Alert]:
    """The alerts of a request's body.

    Raises:
        ValueError: as the real one, with which it answers 400.
    """
    if not isinstance(content, list):
        raise ValueError("not an array")  # noqa: TRY004 - told as the real one does
    return [_alert(each) for each in content]


def _alert(given: Any) -> Alert:  # noqa: ANN401 - JSON
    if not isinstance(given, dict) or "labels" not in given or set(given) - _FIELDS:
        raise ValueError("not a postableAlert")
    labels = {name: value for name, value in _label_set(given["labels"]).items() if value}
    if not labels or not all(_NAME.fullmatch(name) for name in labels):
        raise ValueError("at least one label pair required")
    starts_at, ends_at = _date_time(given["startsAt"]), _date_time(given["endsAt"])
    if ends_at < starts_at:
        raise ValueError("start time must be before end time")
    generator = given.get("generatorURL")
    if generator is not None and not urlsplit(generator).scheme:
        raise ValueError("not a uri")
    return Alert(labels, _label_set(given.get("annotations", {})), starts_at, ends_at, generator)


def _label_set(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        raise ValueError("not a labelSet")  # noqa: TRY004 - told as the real one does
    if not all(isinstance(value, str) for value in given.values()):
        raise ValueError("additionalProperties: type: string")
    return given


def _date_time(given: object) -> datetime:
    if not isinstance(given, str) or not _DATE_TIME.fullmatch(given):
        raise ValueError("not a date-time")
    return datetime.fromisoformat(given)


class AlertmanagerReceiver:
    """A real HTTP server with the API's one route that we call."""

    def __init__(self, prefix: str = "") -> None:
        self.alerts: dict[Labels, Alert] = {}
        self.history: list[list[Alert]] = []
        """The alerts of each request that was taken."""
        self.refused: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                status = receiver._take(self.path, prefix, dict(self.headers), content)
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - its base's
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    def firing(self, now: datetime) -> list[Alert]:
        """What it would notify people of at that time."""
        return [alert for alert in self.alerts.values() if alert.firing(now)]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _take(self, path: str, prefix: str, headers: dict[str, str], content: bytes) -> int:
        if urlsplit(path).path != f"{prefix}/api/v2/alerts":
            return 404
        if headers["Content-Type"] != "application/json":
            return 415
        if self.status != 200:
            return self.status
        try:
            alerts = read_alerts(json.loads(content))
        except (ValueError, KeyError) as error:
            self.refused.append(str(error))
            return 400
        for alert in alerts:
            self.alerts[frozenset(alert.labels.items())] = alert
        self.history.append(alerts)
        self.headers.append(headers)
        return 200
