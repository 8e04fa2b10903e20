"""`db reset` and `db seed` as somebody types them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine


def _bounties(command_line: CommandLine) -> int:
    with psycopg.connect(**command_line.database.conninfo()) as connection:  # type: ignore[arg-type] # all are text
        row = connection.execute("SELECT count(*) FROM bounty").fetchone()
    assert row is not None
    return int(row[0])


def test_a_database_is_shown_then_deleted_by_its_digest(filled: CommandLine) -> None:
    words = ("db", "reset", "--profile", "small", "--scale", "0.2")
    shown = filled.run(*words, "--json")
    assert (shown.code, shown.document["outcome"]) == (1, "planned"), shown.stderr
    assert set(shown.document) == documented_fields("db reset")
    assert {table["name"]: table["rows"] for table in shown.document["tables"]} == {
        "garden.tree": 0,
        "public.fruit": 100,
    }
    assert shown.document["rows"] == 400
    with psycopg.connect(**filled.database.conninfo(), application_name="my shop"):  # type: ignore[arg-type] # all are text
        told = filled.run(*words)
    assert told.code == 1
    for said in ("DATA LOSS", "public.fruit", "100", shown.document["digest"], "--yes"):
        assert said in told.stdout
    assert "WOULD BE ENDED: 1 x" in told.stdout
    assert "my shop" in told.stdout

    stale = filled.run(*words, "--apply", "0" * 64)
    assert (stale.code, stale.error_lines[0].startswith("error:")) == (3, True)
    done = filled.run(*words, "--apply", shown.document["digest"], "--json")
    assert (done.code, done.document["outcome"]) == (0, "reset"), done.stderr
    assert _bounties(filled) > 0

    again = filled.run("db", "reset", "--no-seed", "--yes")
    assert again.code == 0, again.stderr
    assert _bounties(filled) == 0
    seeded = filled.run("db", "seed", "--profile", "small", "--scale", "0.3", "--json")
    assert seeded.document["total"] == 600
    full = filled.run("db", "seed")
    assert (full.code, "bounty-ops db reset" in full.error_lines[1]) == (3, True)


def test_options_that_exclude_each_other(bare_command_line: CommandLine) -> None:
    for words in (
        ("db", "seed", "--rows", "500", "--profile", "small"),
        ("db", "reset", "--no-seed", "--rows", "500"),
        ("db", "reset", "--yes", "--apply", "0" * 64),
        ("db", "seed", "--scale", "0"),
    ):
        refused = bare_command_line.run(*words)
        assert (refused.code, len(refused.error_lines)) == (2, 2), words


def test_production_is_never_reset(command_line: CommandLine) -> None:
    (command_line.home / ".env.production").write_text(
        f"DATABASE_URL={command_line.database.text()}?sslmode=require\n", encoding="utf-8"
    )
    refused = command_line.run("db", "reset", "-e", "production", "--yes")
    assert refused.code == 2
    assert "protected" in refused.error_lines[0]
