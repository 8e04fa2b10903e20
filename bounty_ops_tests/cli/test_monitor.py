"""`monitor`: numbers from a real server, kept as samples; findings with an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from bounty_ops.environments import DatabaseUrl
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine


def _collections(command_line: CommandLine) -> int:
    url = DatabaseUrl.parse(command_line.variables["OPS_DATABASE_URL"])
    with psycopg.connect(**url.conninfo()) as connection:  # type: ignore[arg-type] # all are text
        row = connection.execute("SELECT count(*) FROM bounty_ops.collection").fetchone()
    assert row is not None
    return int(row[0])


def test_a_collection_measures_every_family_and_keeps_them(command_line: CommandLine) -> None:
    outcome = command_line.run("monitor", "collect", "--json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.stderr == ""
    assert set(outcome.document) == documented_fields("monitor collect")
    assert set(outcome.document["families"]) == set(FAMILIES)
    assert _collections(command_line) == 1
    assert command_line.run("monitor", "collect", "--no-store").code == 0
    assert _collections(command_line) == 1


def test_what_a_person_reads_has_every_family(command_line: CommandLine) -> None:
    said = command_line.run("monitor", "collect", "--no-store").stdout
    for family in ("CONNECTIONS", "QUERIES", "TABLES", "INDEXES"):
        assert family in said


def test_a_report_is_a_list_of_findings(command_line: CommandLine) -> None:
    outcome = command_line.run("monitor", "report", "--json")
    assert set(outcome.document) == documented_fields("monitor report")
    serious = [each for each in outcome.document["findings"] if each["severity"] == "critical"]
    assert outcome.code == (1 if serious else 0)
    assert command_line.run("monitor", "report").code == outcome.code


def test_samples_that_cannot_be_kept_are_a_warning(command_line: CommandLine) -> None:
    without = command_line.with_variables(
        OPS_DATABASE_URL="postgresql://ops:planted@127.0.0.1:1/ops"
    )
    outcome = without.run("monitor", "collect", "--json")
    assert outcome.code == 0
    assert outcome.document["families"]
    assert [line.split(":")[0] for line in outcome.error_lines] == ["warning"]
    assert "planted" not in outcome.stderr
