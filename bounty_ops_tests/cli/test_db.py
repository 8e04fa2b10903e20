"""`db`: what it does to a real database, what it says, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine

PROTECTED = "[environments.development]\nprotected = true\nrequire_tls = false\n"


def _count_tables(command_line: CommandLine) -> int:
    with psycopg.connect(**command_line.database.conninfo()) as connection:  # type: ignore[arg-type] # all are text
        row = connection.execute(
            "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'public'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _look_back(command_line: CommandLine, migrated: dict[str, Any]) -> None:
    """What history and status say of the one migration that there was."""
    (record,) = command_line.run("db", "history", "--json").document
    whole = command_line.run("db", "history", record["id"][:20], "--json").document
    assert set(record) < set(whole) == documented_fields("db history")
    assert (record["id"], record["outcome"]) == (migrated["id"], "applied")
    assert whole["files"][0]["revision"] == migrated["to_revision"]
    (standing,) = command_line.run("db", "status", "--json").document
    assert set(standing) == documented_fields("db status")
    assert standing["last_migration"]["id"] == record["id"]
    assert (standing["drift"], standing["pending"]) == ("no", [])

    table = command_line.run("db", "status").stdout
    assert table.splitlines()[1].split()[:4] == ["development", standing["revision"], "0", "no"]
    listed = command_line.run("db", "history").stdout
    assert record["id"] in listed
    told = command_line.run("db", "history", record["id"]).stdout
    assert record["digest"] in told
    assert "CREATE TABLE" in told


def test_from_an_empty_database_to_one_with_rows(command_line: CommandLine) -> None:
    before = command_line.run("db", "current", "--json").document
    assert set(before) == documented_fields("db current")
    assert before["revision"] is None
    assert before["pending"]

    planned = command_line.run("db", "plan", "--json")
    assert planned.code == 0, planned.stderr
    assert set(planned.document) == documented_fields("db plan")
    assert {gate["state"] for gate in planned.document["gates"]} == {"not_required"}

    shown = command_line.run("db", "migrate", "--dry-run", "--json")
    assert shown.document["digest"] == planned.document["digest"]
    assert (shown.code, shown.document["outcome"]) == (0, "planned")
    assert set(shown.document) == documented_fields("db migrate")
    assert "CREATE TABLE" in shown.document["pending"][0]["sql"]
    assert _count_tables(command_line) == 0

    migrated = command_line.run("db", "migrate", "--json")
    assert migrated.code == 0, migrated.stderr
    assert migrated.stderr == ""
    assert migrated.document["outcome"] == "applied"
    assert migrated.document["digest"] == shown.document["digest"]
    assert set(migrated.document) == documented_fields("db migrate")
    assert _count_tables(command_line) == 37

    after = command_line.run("db", "current", "--json").document
    assert after["revision"] == after["head"] == migrated.document["to_revision"]
    assert after["pending"] == []

    _look_back(command_line, migrated.document)

    seeded = command_line.run("db", "seed", "--rows", "500", "--seed", "7", "--json")
    assert seeded.code == 0, seeded.stderr
    assert set(seeded.document) == documented_fields("db seed")
    assert seeded.document["total"] == sum(seeded.document["rows"].values())
    assert seeded.document["total"] >= 500
    assert len(seeded.document["rows"]) == 37

    again = command_line.run("db", "seed", "--rows", "500")
    assert again.code == 3
    assert len(again.error_lines) == 2
    nothing = command_line.run("db", "migrate", "--json")
    assert (nothing.code, nothing.document["outcome"]) == (0, "nothing_to_do")


@pytest.mark.soak
def test_migrations_are_taken_back_by_the_digest_of_what_was_shown(
    command_line: CommandLine,
) -> None:
    assert command_line.run("db", "migrate").code == 0
    shown = command_line.run("db", "downgrade", "--to", "base", "--json")
    assert (shown.code, shown.document["outcome"]) == (1, "planned")
    assert set(shown.document) == documented_fields("db downgrade")
    assert "DROP TABLE" in shown.document["undone"][0]["sql"]
    digest = shown.document["digest"]
    person = command_line.run("db", "downgrade", "--to", "-1")
    assert f"--to -1 --apply {digest}" in person.stdout
    wrong = command_line.run("db", "downgrade", "--to", "base", "--apply", "0" * 64)
    assert (wrong.code, _count_tables(command_line)) == (3, 37)
    done = command_line.run("db", "downgrade", "--to", "base", "--apply", digest, "--json")
    assert (done.code, done.document["outcome"]) == (0, "applied"), done.stderr
    assert set(done.document) == documented_fields("db downgrade")
    assert _count_tables(command_line) == 0
    record = command_line.run("db", "history", "--json").document[0]
    assert (record["id"], record["direction"]) == (done.document["id"], "downgrade")
    again = command_line.run("db", "downgrade", "--to", "base")
    assert again.code == 0


def test_a_protected_database_is_migrated_by_the_digest_of_its_plan_only(
    command_line: CommandLine,
) -> None:
    (command_line.home / "bounty_ops.toml").write_text(PROTECTED)
    shown = command_line.run("db", "migrate", "--json")
    assert (shown.code, shown.document["outcome"]) == (1, "planned")
    digest = shown.document["digest"]
    person = command_line.run("db", "migrate")
    assert person.code == 1
    last = person.stdout.splitlines()[-1]
    assert last == f"  bounty-ops db migrate -e development --apply {digest}"
    wrong = command_line.run("db", "migrate", "--apply", "0" * 64)
    assert wrong.code == 3
    assert "another digest" in wrong.error_lines[0]
    assert _count_tables(command_line) == 0

    applied = command_line.run("db", "migrate", "--apply", digest, "--json")
    assert (applied.code, applied.document["outcome"]) == (0, "applied")
    seeding = command_line.run("db", "seed")
    assert seeding.code == 2
    assert "protected" in seeding.error_lines[0]


def test_dry_run_and_apply_exclude_each_other(command_line: CommandLine) -> None:
    outcome = command_line.run("db", "migrate", "--dry-run", "--apply", "x")
    assert outcome.code == 2


def test_the_password_of_the_url_is_shown_on_request_only(command_line: CommandLine) -> None:
    masked = command_line.run("db", "url", "--json")
    assert masked.code == 0
    assert set(masked.document) == documented_fields("db url")
    assert ":***@" in masked.document["url"]
    full = command_line.run("db", "url", "--show-password", shows_secrets=True)
    assert full.stdout == command_line.variables["DATABASE_URL"] + "\n"


def test_the_script_of_a_role_is_sql_that_psql_takes_as_it_is(command_line: CommandLine) -> None:
    shown = command_line.run("db", "grants", "--role", "watcher", "--json").document
    assert set(shown) == documented_fields("db grants")
    assert shown["role"] == "watcher"
    printed = command_line.run("db", "grants", "--role", "watcher")
    assert printed.stdout == shown["sql"] + "\n"
    backup = command_line.run("db", "grants", "--for", "backup").stdout
    assert "GRANT pg_read_all_data TO bounty_ops_backup;" in backup


def test_a_server_that_is_gone_is_two_lines_and_exit_code_3(command_line: CommandLine) -> None:
    gone = command_line.with_variables(
        DATABASE_URL="postgresql://bounty:planted-secret@127.0.0.1:1/bounty"
    )
    outcome = gone.run("db", "current", "--json")
    assert outcome.code == 3
    assert "127.0.0.1:1/bounty" in outcome.document["error"]["message"]
    assert [line.split(":")[0] for line in outcome.error_lines] == ["error", "hint"]
    assert "planted" not in outcome.stdout + outcome.stderr


def test_the_traceback_under_debug_holds_no_password(command_line: CommandLine) -> None:
    gone = command_line.with_variables(
        DATABASE_URL="postgresql://bounty:planted-secret@127.0.0.1:1/bounty"
    )
    outcome = gone.run("--debug", "db", "current")
    assert outcome.code == 3
    assert "Traceback" in outcome.stderr
    assert "planted" not in outcome.stderr


@pytest.mark.parametrize("words", [("db", "current"), ("db", "migrate"), ("db", "seed")])
def test_an_unconfigured_environment_says_why(
    command_line: CommandLine, words: tuple[str, ...]
) -> None:
    (command_line.home / ".env.staging").write_text("SOMETHING=else\n")
    outcome = command_line.run("-e", "staging", *words)
    assert outcome.code == 2
    assert "DATABASE_URL" in outcome.error_lines[0]
