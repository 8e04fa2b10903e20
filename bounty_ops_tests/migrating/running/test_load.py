"""An application at work, somebody's long transaction, and a migration in between."""

from __future__ import annotations

import queue
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bounty_ops.postgres.programs import find_programs
from bounty_ops_tests.fix_servers import running_server
from bounty_ops_tests.migrating.running.short_lines import (
    apart,
    connect,
    executes,
    move,
    short_line,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

PER_SECOND = 50
SETTINGS = {
    "max_connections": "400",
    # The server itself says how long each of its processes has waited for a lock.
    "log_lock_waits": "on",
    "deadlock_timeout": "20ms",
    "log_line_prefix": "%a|",
}
STATEMENTS = (
    "SELECT b FROM t WHERE id = %s",
    "UPDATE t SET a = a + 1 WHERE id = %s",
    "SELECT count(*) FROM t WHERE id BETWEEN %s AND 50",
)


@dataclass
class Application:
    """Sends a query every fiftieth of a second, whether the earlier ones are answered or not."""

    url: DatabaseUrl
    clients: int
    """As many as may have to wait at once."""
    over: threading.Event = field(default_factory=threading.Event)
    work: queue.Queue[int | None] = field(default_factory=queue.Queue)
    seconds: list[float] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        clients = [threading.Thread(target=self._client, daemon=True) for _ in range(self.clients)]
        for client in clients:
            client.start()
        sent, began = 0, time.monotonic()
        while not self.over.wait(max(0.0, began + sent / PER_SECOND - time.monotonic())):
            self.work.put(sent)
            sent += 1
        for _ in clients:
            self.work.put(None)
        for client in clients:
            client.join()

    def _client(self) -> None:
        with connect(self.url) as connection:
            connection.execute("SET application_name = 'web'")
            while (number := self.work.get()) is not None:
                began = time.monotonic()
                try:
                    connection.execute(
                        STATEMENTS[number % len(STATEMENTS)].encode(), (number % 1000,)
                    )
                except Exception as error:  # noqa: BLE001 - told by the test
                    self.failures.append(error)
                self.seconds.append(time.monotonic() - began)


def _longest_waits(log: Path) -> dict[str, float]:
    """Return the longest wait for a lock, in seconds, of each application in the server's log."""
    longest: dict[str, float] = {}
    pattern = re.compile(r"^([^|]*)\|.*process \d+ acquired \w+ on .* after ([\d.]+) ms")
    for line in log.read_text("utf-8", "replace").splitlines():
        if found := pattern.match(line):
            name, seconds = found[1], float(found[2]) / 1000
            longest[name] = max(longest.get(name, 0.0), seconds)
    return longest


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("lock_timeout", "attempts", "open_for"), [(2.0, 8, 60.0), (5.0, 5, 60.0), (0.5, 8, 20.0)]
)
def test_nobody_waits_for_longer_than_a_migration_may(
    tmp_path: Path, lock_timeout: float, attempts: int, open_for: float
) -> None:
    line = short_line(
        tmp_path,
        executes(
            "ALTER TABLE t ADD COLUMN c int",
            "ALTER TABLE t ADD CONSTRAINT k CHECK (a >= 0) NOT VALID",
        ),
        executes("ALTER TABLE t VALIDATE CONSTRAINT k"),
        apart("CREATE INDEX CONCURRENTLY i ON t (b)"),
    )
    with running_server(find_programs(17, server=True), tmp_path / "pg", SETTINGS) as url:
        with connect(url) as connection:
            connection.execute("CREATE TABLE t (id int PRIMARY KEY, a int, b text)")
            connection.execute(
                "INSERT INTO t SELECT n, n, 'b' || n FROM generate_series(1, 20000) n"
            )
        application = Application(url, round(PER_SECOND * lock_timeout * 1.3) + 10)
        running = threading.Thread(target=application.run)
        running.start()
        time.sleep(3)
        with connect(url, autocommit=False) as somebody:
            somebody.execute("SELECT count(*) FROM t")
            ending = threading.Timer(open_for, somebody.rollback)
            ending.start()
            began = time.monotonic()
            evidence = move(url, line, lock_timeout_seconds=lock_timeout, lock_attempts=attempts)
            took = time.monotonic() - began
            ending.join()
        application.over.set()
        running.join()
        waits = _longest_waits(tmp_path / "pg" / "server.log")
    print(  # noqa: T201 - for whoever runs the soak
        f"{len(application.seconds)} queries, slowest {max(application.seconds):.3f} s by the "
        f"client; longest wait for a lock by the server {waits.get('web', 0):.3f} s with a "
        f"lock_timeout of {lock_timeout:g} s; the migration took {took:.1f} s, "
        f"{evidence.detail['attempts']} attempts"
    )
    assert application.failures == []
    assert evidence.outcome == "applied"
    assert int(str(evidence.detail["attempts"])) > len(evidence.revisions)
    assert 0 < waits["web"] <= lock_timeout + 0.1
