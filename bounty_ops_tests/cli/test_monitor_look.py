"""`monitor locks` and its like: what somebody sees who is called at night."""

from __future__ import annotations

import signal
import stat
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from bounty_ops.cli.monitor.look import Looks
from bounty_ops.embedded.processes import wait_until
from bounty_ops.environments import Environment, Policy
from bounty_ops.errors import ServerUnavailable
from bounty_ops_tests.alerting import measures

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.monitoring import CollectionResult
    from bounty_ops_tests.fix_command_line import CommandLine


def test_who_waits_for_whom(command_line: CommandLine) -> None:
    url = command_line.database.conninfo()
    with (
        psycopg.connect(**url, application_name="the holder") as holder,  # type: ignore[arg-type] # all are text
        psycopg.connect(**url, application_name="the waiter") as waiter,  # type: ignore[arg-type] # all are text
    ):
        holder.execute("CREATE TABLE held (secret text)")
        holder.commit()
        holder.execute("LOCK held")
        waiting = Thread(target=_count, args=(waiter,))
        waiting.start()
        assert wait_until(lambda: _waits(holder), 30)
        said = command_line.run("monitor", "locks")
        holder.rollback()
        waiting.join()

    assert said.code == 0, said.stderr
    lines = said.stdout.splitlines()
    [blocker] = [line for line in lines if "the holder" in line and line.startswith("pid")]
    [waits] = [line for line in lines if "the waiter" in line and line.startswith("└ pid")]
    assert lines.index(waits) == lines.index(blocker) + 1
    assert "AccessShareLock on public.held" in waits
    assert "alice" not in said.stdout


def _count(connection: psycopg.Connection) -> None:
    connection.execute("SELECT count(*) FROM held WHERE secret = 'alice'")


def _waits(connection: psycopg.Connection) -> bool:
    found = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return found is not None and found[0] > 0


def test_connections_are_shown_beside_what_can_refuse_the_next_one(
    command_line: CommandLine,
) -> None:
    said = command_line.run("monitor", "connections").stdout.splitlines()
    assert said[0] == "Limits on connections, the fullest first"
    limits = command_line.run("monitor", "connections", "--json").document
    usable = limits["families"]["connections"]["usable"]
    (server,) = [line.split() for line in said if line.startswith("server ")]
    assert server[2] == str(usable["limit"])


@pytest.mark.parametrize(
    "name",
    ["tables", *(pytest.param(one, marks=pytest.mark.soak) for one in ("queries", "indexes"))],
)
def test_each_family_has_a_look_and_a_document(command_line: CommandLine, name: str) -> None:
    assert command_line.run("monitor", name).code == 0
    document = command_line.run("monitor", name, "--json").document
    assert set(document["families"]) == {name}


@pytest.mark.soak
def test_a_watch_ends_with_ctrl_c_and_not_with_the_server(command_line: CommandLine) -> None:
    gone = command_line.with_variables(DATABASE_URL="postgresql://x:planted@127.0.0.1:1/x")
    with gone.start("monitor", "connections", "--watch", "0.5") as watch:
        seen = [watch.stdout.readline() for _ in range(4)] if watch.stdout else []
        watch.send_signal(signal.SIGINT)
        assert watch.wait(30) == 0
    assert sum("127.0.0.1:1" in line for line in seen) == 2
    assert "planted" not in "".join(seen)


def test_a_screen_is_no_document(command_line: CommandLine) -> None:
    refused = command_line.run("monitor", "tables", "--watch", "1", "--json")
    assert refused.code == 2
    assert refused.document["error"]["hint"].startswith("Leave one of them out")


def test_a_report_is_one_private_file(command_line: CommandLine, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    written = command_line.run("monitor", "report", "--html", str(page))
    assert written.code in {0, 1}
    assert str(page) in written.stderr
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert page.read_text("utf-8").startswith("<!doctype html>")
    again = command_line.run("monitor", "report", "--html", str(page))
    assert again.code == 2
    assert "report.html" in again.stderr


def test_a_look_goes_by_what_the_one_before_left_and_by_an_outage_nothing_is_lost() -> None:
    given = []

    def measure(_environment: Environment, **words: Any) -> CollectionResult:  # noqa: ANN401 - any
        given.append({**words, "memory": dict(words["memory"])})
        if len(given) == 2:
            raise ServerUnavailable("it went away", hint="Wait.")
        found = measures.measured(measures.connections(len(given)))
        return replace(found, memory={"queries": b"of look %d" % len(given)})

    looks = Looks(Environment("any", None, Policy()), "queries", measure)
    first = looks.next()
    with pytest.raises(ServerUnavailable):
        looks.next()
    third = looks.next()
    looks.next()
    assert [each["families"] for each in given] == [["queries"]] * 4
    assert [each["former"] for each in given] == [None, first, first, third]
    assert [each["memory"].get("queries") for each in given] == [
        None, b"of look 1", b"of look 1", b"of look 3",
    ]  # fmt: skip
