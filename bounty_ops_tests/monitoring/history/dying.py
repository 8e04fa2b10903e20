"""A process that stores or maintains, and ends itself with SIGKILL at a chosen step."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import create_engine, event

from bounty_ops.monitoring.history import Retention, maintain, store_collection
from bounty_ops.monitoring.result import CollectionResult

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from multiprocessing.connection import Connection

    from bounty_ops.environments import DatabaseUrl

KEEP = Retention(samples=2, five_minutes=8, hourly=400)
APPLICATION = "dying"
#: Enough for any of them: nothing is to be left to the next one for want of time.
_BUDGET_SECONDS = 600


class _Steps:
    """Counts what the process asks of the server, and ends it before the chosen one."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.last: int | None = None

    def __call__(self, name: str) -> None:
        if len(self.names) == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.names.append(name)


_steps = _Steps()


class _Cursor(psycopg.Cursor[Any]):
    """Tells of each statement; SQLAlchemy's events know nothing of a COPY."""

    def execute(self, query: Any, *args: Any, **keywords: Any) -> Any:  # noqa: ANN401 - its base's
        _steps(str(query))
        return super().execute(query, *args, **keywords)

    def executemany(self, query: Any, *args: Any, **keywords: Any) -> None:  # noqa: ANN401 - its base's
        _steps(str(query))
        super().executemany(query, *args, **keywords)

    @contextmanager
    def copy(self, statement: Any, *args: Any, **keywords: Any) -> Iterator[Any]:  # noqa: ANN401 - its base's
        _steps("before a COPY")
        with super().copy(statement, *args, **keywords) as copy:
            yield copy
            _steps("in a COPY")


def do(
    url: DatabaseUrl, deed: CollectionResult | datetime, dies_at: int | None = None
) -> list[str]:
    """Do it, or die before the step `dies_at`; returns its steps.

    In a process of its own: what is counted is counted for all of it.
    """
    operations = create_engine(
        url.sqlalchemy(),
        connect_args={"cursor_factory": _Cursor, "application_name": APPLICATION},
    )
    event.listen(operations, "commit", lambda _connection: _steps("COMMIT"))
    with operations.connect():
        _steps.names, _steps.last = [], dies_at
    if isinstance(deed, CollectionResult):
        store_collection(operations, deed)
    else:
        maintain(operations, KEEP, now=deed, budget_seconds=_BUDGET_SECONDS)
    _steps("after the last COMMIT")
    operations.dispose()
    return _steps.names


def work(
    url: DatabaseUrl,
    deeds: list[CollectionResult | datetime],
    dies_at: int | None,
    tell: Connection,
) -> None:
    """What the process does: one deed after another, and says when it begins."""
    tell.send("begins")
    names: list[str] = []
    for deed in deeds:
        names += do(url, deed, dies_at)
    tell.send(names)
