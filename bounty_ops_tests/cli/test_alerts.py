"""Incidents on the command line: seen, shown, acknowledged, silenced."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bounty_ops.alerting import Evaluation, Finding, Rule, Severity, Undecided, reconcile
from bounty_ops.alerting.register import incidents
from bounty_ops.alerting.silences import silences
from bounty_ops.environments import AlertSettings, DatabaseUrl, Policy
from bounty_ops.migrating import migrate_ops
from bounty_ops.postgres.connect import engine
from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine

FULL = Finding(
    Rule.REPLICATION_SLOT,
    "slot reader",
    Severity.CRITICAL,
    "[production] replication slot reader keeps 60 GiB of WAL",
    "It keeps 60 GiB.\nDo: drop it.",
)
UNKNOWN = {Rule.LONG_QUERY: Undecided("3 sessions may not be looked into")}


def look(line: CommandLine, *findings: Finding) -> None:
    """One look of the watcher."""
    url = DatabaseUrl.parse(line.variables["OPS_DATABASE_URL"])
    migrate_ops(url)
    operations = engine(url, application_name="tests")
    settings = AlertSettings.of("production", Policy(protected=True))
    now = datetime.now(UTC)
    reconcile(operations, "production", Evaluation(findings, UNKNOWN), settings, now)


def test_before_anybody_looked_nothing_is_said_to_be_well(command_line: CommandLine) -> None:
    done = command_line.run("alerts", "list")
    assert done.code == 0
    assert "nothing is wrong" not in done.stdout
    assert done.stdout.startswith("nobody has looked yet, so nothing is known")


def test_an_incident_is_listed_shown_acknowledged_and_its_end_is_seen(
    command_line: CommandLine,
) -> None:
    look(command_line, FULL)
    listed = command_line.run("alerts", "list")
    assert listed.code == 1  # it is critical
    assert "replication slot reader keeps 60 GiB" in listed.stdout
    assert "not known: long_query: 3 sessions may not be looked into" in listed.stdout
    document = command_line.run("alerts", "list", "--json").document
    assert set(document) <= documented_fields("alerts list")
    (incident,) = document["incidents"]
    assert set(incident) <= documented_fields("alerts show")

    shown = command_line.run("alerts", "show", "1")
    assert "Do: drop it." in shown.stdout
    assert "firing" in shown.stdout
    document = command_line.run("alerts", "show", "1", "--json").document
    assert set(document) == documented_fields("alerts show")
    assert [each["change"] for each in document["messages"]] == ["firing"]

    assert command_line.run("alerts", "ack", "1", "--note", "on it").code == 0
    acknowledged = command_line.run("alerts", "list").stdout
    assert "acknowledged by" in acknowledged

    look(command_line)
    assert "nothing is wrong" in command_line.run("alerts", "list").stdout
    assert "resolved" in command_line.run("alerts", "list", "--resolved", "1").stdout
    again = command_line.run("alerts", "ack", "1")
    assert again.code == 2
    assert "was resolved" in again.error_lines[0]


def test_a_silence_holds_back_what_it_names_until_it_is_ended(command_line: CommandLine) -> None:
    words = ("alerts", "silence", "--for", "4h", "--reason", "it moves", "--rule", "replication_*")
    made = command_line.run(*words, "--json")
    assert set(made.document) <= documented_fields("alerts silence")
    assert made.document["environment"] == "*"
    look(command_line, FULL)
    listed = command_line.run("alerts", "list").stdout
    assert "no: silence 1 of" in listed
    assert "it moves" in listed
    shown = command_line.run("alerts", "show", "1", "--json").document
    assert shown["messages"] == []
    assert command_line.run("alerts", "unsilence", "1").code == 0
    look(command_line, FULL)
    shown = command_line.run("alerts", "show", "1", "--json").document
    assert [each["change"] for each in shown["messages"]] == ["firing"]
    assert command_line.run("alerts", "unsilence", "1").code == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("show", "77"), "there is no incident 77"),
        (("ack", "77"), "there is no incident 77"),
        (("silence", "--for", "soon", "--reason", "r"), "is no span of time"),
        (("silence", "--for", "91d", "--reason", "r"), "at most 90 days"),
        (("silence", "--for", "4h", "--reason", " "), "needs a reason"),
        (("silence", "--for", "4h", "--reason", "r", "--rule", "blockin"), "no rule 'blockin'"),
    ],
)
@pytest.mark.many(every=3)
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], why: str, command_line: CommandLine
) -> None:
    done = command_line.run("alerts", *words)
    assert done.code == 2
    assert why in done.error_lines[0]


def test_rules_are_listed_as_they_are_set(bare_command_line: CommandLine) -> None:
    (bare_command_line.home / "bounty_ops.toml").write_text(
        '[environments.production.alerts.rules.blocking]\nwarning = 17\nfor = "2m"\n'
    )
    document = bare_command_line.run("alerts", "rules", "--json", "-e", "production").document
    assert set(document) == documented_fields("alerts rules")
    found = {each["rule"]: each for each in document["rules"]}
    assert list(found) == [rule.value for rule in Rule]
    assert (found["blocking"]["warning"], found["blocking"]["for"]) == (17, "2m")
    drawn = bare_command_line.run("alerts", "rules", "-e", "production").stdout
    assert "defaults of production, told from warning on" in drawn


def test_incidents_of_an_environment_are_told_apart(command_line: CommandLine) -> None:
    look(command_line, FULL)
    url = DatabaseUrl.parse(command_line.variables["OPS_DATABASE_URL"])
    operations = engine(url, application_name="tests")
    assert len(incidents(operations, environment="production")) == 1
    assert incidents(operations, environment="staging") == []
    words = ("--for", "4h", "--reason", "it moves")
    assert command_line.run("alerts", "silence", "-e", "development", *words).code == 0
    assert "it moves" in command_line.run("alerts", "list", "-e", "development").stdout
    moment = datetime.now(UTC)
    assert silences(operations, now=moment, environment="staging") == []
    (silence,) = silences(operations, now=moment)
    assert silence.environment == "development"


def test_what_makes_no_sense_is_refused_before_any_server_is_asked(
    bare_command_line: CommandLine,
) -> None:
    away = bare_command_line.with_variables(OPS_DATABASE_URL="postgresql://x:y@127.0.0.1:9/ops")
    for words, why in (
        (("list", "--resolved", "nan"), "no number of hours"),
        (("show", "9" * 20), "not in the range"),
        (("ack", "0"), "not in the range"),
        (("unsilence", "first"), "not a valid integer"),
        (("silence", "--for", "soon", "--reason", "r"), "is no span of time"),
        (("silence", "--for", "0s", "--reason", "r"), "longer than nothing"),
        (("silence", "--for", "91d", "--reason", "r"), "at most 90 days"),
        (("silence", "--for", "4h", "--reason", " "), "needs a reason"),
        (("rules", "-e", "nowhere"), "no environment 'nowhere'"),
    ):
        done = away.run("alerts", *words)
        assert (done.code, len(done.error_lines)) == (2, 2), words
        assert why in done.error_lines[0]


def test_without_the_operations_database_nothing_is_said_to_be_well(
    bare_command_line: CommandLine,
) -> None:
    away = bare_command_line.with_variables(
        OPS_DATABASE_URL="postgresql://role:secret-word@127.0.0.1:9/ops",
        ALERT_URL="json://127.0.0.1:9/secret-word",
    )
    away = dataclasses.replace(away, secrets=("secret-word",))
    for words in (("list",), ("show", "1"), ("ack", "1"), ("unsilence", "1"), ("test",)):
        done = away.run("alerts", *words)
        assert done.code == 3, words
        assert done.stdout == ""
        assert "127.0.0.1:9/ops" in done.error_lines[0]
