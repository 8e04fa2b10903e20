"""Every failure is two lines and an exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.cli.failure import Terminated, describe
from bounty_ops.errors import BountyOpsError, ConfigurationError, ServerUnavailable

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (ConfigurationError("a", hint="b"), 2),
        (ServerUnavailable("a", hint="b"), 3),
        (click.UsageError("a"), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (Terminated(), 143),
        (ZeroDivisionError("division by zero"), 3),
    ],
)
def test_a_kind_of_failure_has_its_exit_code(error: BaseException, exit_code: int) -> None:
    assert describe(error).exit_code == exit_code


@given(st.text(), st.text())
def test_whatever_a_server_says_takes_one_line_and_controls_no_terminal(
    message: str, hint: str
) -> None:
    told = describe(BountyOpsError(message, hint=hint))
    for line in (told.message, told.hint):
        assert len(line.splitlines()) <= 1
        assert line.isprintable()


def test_the_diagnosis_of_a_databases_error_is_in_the_document() -> None:
    error = ServerUnavailable("a", hint="b")
    assert "diagnosis" not in json.dumps(describe(error).document())
    error.diagnosis = "connection_refused"
    shown = describe(error).shown_through(str.upper).document()
    assert shown == {
        "error": {"message": "A", "hint": "B", "exit_code": 3, "diagnosis": "connection_refused"}
    }


def test_a_defect_is_called_one_and_says_how_to_report_it() -> None:
    told = describe(ValueError("no such luck"))
    assert told.message == "unexpected ValueError: no such luck"
    assert "--debug" in told.hint


def test_a_wrong_option_points_to_the_help_of_its_command() -> None:
    context = click.Context(click.Command("run"), info_name="bounty-ops backup run")
    told = describe(click.UsageError("No such option", ctx=context))
    assert told.hint == "See `bounty-ops backup run --help`."


def test_a_migration_that_meets_another_schema_is_diagnosed(command_line: CommandLine) -> None:
    with psycopg.connect(**command_line.database.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        connection.execute("CREATE TYPE bounty_status AS ENUM ('by hand')")
    outcome = command_line.run("db", "migrate", "--json")
    assert outcome.code == 3
    assert outcome.document["error"]["diagnosis"] == "schema_mismatch"
    assert "bounty_status" in outcome.document["error"]["message"]
