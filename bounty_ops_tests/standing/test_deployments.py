"""Deployments that see different environments, and servers that do not answer."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.fix_command_line import CommandLine

PRODUCTION = """\
[environments.production]
require_tls = false
migrate_soak_hours = 0
"""


@pytest.mark.long
def test_what_was_applied_to_staging_opens_the_gate_of_a_deployment_that_cannot_see_it(
    command_line: CommandLine, make_database: Callable[[], DatabaseUrl]
) -> None:
    shared = {name: text for name, text in command_line.variables.items() if name != "DATABASE_URL"}
    homes = {}
    for name in ("staging", "production"):
        home = command_line.home / name
        home.mkdir()
        url = make_database()
        with connect(url, application_name="tests") as connection:
            # An empty database has nothing to lose, and its gates are not asked.
            connection.execute("CREATE SCHEMA garden")
            connection.execute("CREATE TABLE garden.tree AS SELECT 1 AS age")
        (home / f".env.{name}").write_text(f"DATABASE_URL={url.text()}\n")
        homes[name] = _in(command_line, home, shared, ops=make_database().text())
    (homes["production"].home / "bounty_ops.toml").write_text(PRODUCTION)

    assert _gate(homes["production"])["state"] == "refused"
    homes["staging"].run("db", "migrate", "-e", "staging")
    gate = _gate(homes["production"])
    assert gate["state"] == "passed", gate
    assert "staging has had the same files" in gate["reason"]

    [seen] = homes["production"].run("status", "--json").document
    assert (seen["environment"], seen["protected"]) == ("production", True)
    assert "production (protected)" in homes["production"].run("status").stdout


def _in(line: CommandLine, home: Path, variables: dict[str, str], *, ops: str) -> CommandLine:
    return type(line)(home, {**variables, "OPS_DATABASE_URL": ops}, line.secrets)


def _gate(line: CommandLine) -> dict[str, str]:
    gates = line.run("db", "plan", "-e", "production", "--json").document["gates"]
    return next(gate for gate in gates if gate["name"] == "staging")


@pytest.mark.soak
def test_a_server_that_swallows_everything_hides_no_other(command_line: CommandLine) -> None:
    command_line.run("alerts", "list")  # which makes the tables of the operations database
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        for name in ("alpha", "beta"):
            url = f"postgresql://a:planted@127.0.0.1:{port}/b"
            (command_line.home / f".env.{name}").write_text(f"DATABASE_URL={url}\n")
        found = {
            each["environment"]: each for each in command_line.run("status", "--json").document
        }
        said = command_line.run("status").stdout
    assert found["development"]["reachable"]
    assert found["development"]["unknown"] == {
        "drift": "the watcher has not looked at it yet",
        "open_incidents": "the watcher has not looked at it yet",
        "rpo_seconds": "no backup was ever proved",
        "rto_seconds": "no backup was ever proved",
    }
    for name in ("alpha", "beta"):
        assert not found[name]["reachable"]
        assert found[name]["unknown"]["revision"] == found[name]["problem"]
        assert "unreachable" in said
    assert "not known of development: drift, open incidents: the watcher has not looked" in said
