"""All or nothing: what becomes of a seeding that does not come to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import PostgresError
from bounty_ops.postgres.connect import connect
from bounty_ops.seeding import seed
from bounty_ops_tests.seeding.conftest import counted, environment_of, first

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl

#: Stops half-way, in the middle of a COPY, and waits for what happens to it.
_SCRIPT = """
import sys, time
from bounty_ops.environments import load_settings
from bounty_ops.seeding import seed

def stop(rows):
    if rows > 10_000:
        print("half-way", flush=True)
        while True:  # a signal just before one long sleep would be heard after it
            time.sleep(0.02)

try:
    seed(load_settings().environment("development"), rows=20_000, progress=stop)
except KeyboardInterrupt:
    sys.exit(130)
"""


def _half_way(url: DatabaseUrl, directory: Path) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT],
        env={**os.environ, "PYTHONPATH": str(root), "DATABASE_URL": url.text()},
        cwd=directory,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "half-way\n"
    return process


def _wait_until_gone(url: DatabaseUrl) -> None:
    """The server notices by itself that its client is no more; it takes a moment."""
    with connect(url, application_name="tests") as connection:
        deadline = time.monotonic() + 30
        while first(
            connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bounty-ops seed' "
                "AND datname = current_database()"
            )
        ):
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)]
)
def test_a_process_that_is_killed_or_interrupted_leaves_nothing(
    empty_bounty: DatabaseUrl, tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    process = _half_way(empty_bounty, tmp_path)
    process.send_signal(sent)
    with process:
        assert process.wait(timeout=30) == status
    _wait_until_gone(empty_bounty)
    assert sum(counted(empty_bounty).values()) == 0
    assert seed(environment_of(empty_bounty), rows=1000).total == 1000


def test_a_server_that_ends_the_connection_leaves_nothing(empty_bounty: DatabaseUrl) -> None:
    def cut(rows: int) -> None:
        if rows > 10_000:
            with connect(empty_bounty, application_name="tests") as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE application_name = 'bounty-ops seed' AND datname = current_database()"
                )

    with pytest.raises(PostgresError):
        seed(environment_of(empty_bounty), rows=20_000, progress=cut)
    assert sum(counted(empty_bounty).values()) == 0


def test_an_error_of_the_caller_passes_through_and_leaves_nothing(
    empty_bounty: DatabaseUrl,
) -> None:
    def fail(rows: int) -> None:
        if rows > 10_000:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        seed(environment_of(empty_bounty), rows=20_000, progress=fail)
    assert sum(counted(empty_bounty).values()) == 0
