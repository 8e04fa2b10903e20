"""`monitor serve`: what was measured, for a Prometheus."""

from __future__ import annotations

import re
import signal
import urllib.request
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import psycopg
import pytest

from bounty_ops.embedded.processes import wait_until
from bounty_ops.environments import DatabaseUrl

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine

ANYWHERE = "0.0.0.0"  # noqa: S104 - what is tried


@pytest.mark.soak
def test_a_scrape_reads_what_was_measured_and_says_when_it_cannot(
    command_line: CommandLine,
) -> None:
    assert command_line.run("monitor", "collect").code == 0
    ops = DatabaseUrl.parse(command_line.variables["OPS_DATABASE_URL"])
    with command_line.start("monitor", "serve", "--port", "0") as server:
        assert server.stderr is not None
        said = server.stderr.readline()
        found = re.match(r"(http://127\.0\.0\.1:\d+/)metrics,", said)
        assert found is not None, said
        metrics = found[1] + "metrics"
        with urllib.request.urlopen(metrics, timeout=30) as answer:  # noqa: S310 - ours
            assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
            text = answer.read().decode()
        assert 'bounty_ops_connections_used{environment="development"}' in text
        assert text.endswith("# EOF\n")
        assert _status(found[1]) == (404, "see /metrics\n")
        _take_away(ops)
        # An answer is kept for some seconds.
        assert wait_until(lambda: _is_unavailable(metrics), 60)
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0


@pytest.mark.soak
def test_an_address_that_others_reach_is_warned_of_and_an_end_from_outside_is_told(
    command_line: CommandLine,
) -> None:
    words = ("monitor", "serve", "--port", "0", "--host", ANYWHERE, "--exposed")
    with command_line.start(*words) as server:
        assert server.stderr is not None
        assert server.stderr.readline().startswith("warning: whoever reaches 0.0.0.0 reads")
        assert server.stderr.readline().startswith("http://0.0.0.0:")
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 143
    with command_line.start("monitor", "serve", "--port", "0", "--host", "::1") as server:
        assert server.stderr is not None
        address = server.stderr.readline().partition(",")[0]
        assert address.startswith("http://[::1]:")
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - ours
            assert answer.status == 200
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
    refused = command_line.run("monitor", "serve", "--port", "0", "--host", "nowhere.invalid")
    assert refused.code == 2
    assert "correct --host" in refused.stderr


@pytest.mark.parametrize("host", [ANYWHERE, pytest.param("::", marks=pytest.mark.soak)])
def test_an_address_that_others_reach_is_refused_unless_that_is_meant(
    command_line: CommandLine, host: str
) -> None:
    refused = command_line.run("monitor", "serve", "--port", "0", "--host", host)
    assert refused.code == 2
    assert f"others may reach {host}" in refused.stderr
    assert "--exposed" in refused.stderr


@pytest.mark.soak
def test_a_port_that_is_taken_is_said(command_line: CommandLine) -> None:
    with command_line.start("monitor", "serve", "--port", "0") as server:
        assert server.stderr is not None
        port = server.stderr.readline().partition("/metrics")[0].rpartition(":")[2]
        refused = command_line.run("monitor", "serve", "--port", port)
        server.send_signal(signal.SIGINT)
        server.wait(30)
    assert refused.code == 2
    assert "Choose another --port" in refused.stderr


def _status(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - ours
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def _take_away(ops: DatabaseUrl) -> None:
    with psycopg.connect(
        **ops.with_database("postgres").conninfo(),  # type: ignore[arg-type] # all are text
        autocommit=True,
    ) as connection:
        connection.execute(f'DROP DATABASE "{ops.database}" WITH (FORCE)'.encode())


def _is_unavailable(url: str) -> bool:
    status, said = _status(url)
    if status != 503:
        return False
    assert "does not exist" in said
    assert "postgresql://" not in said
    return True
