"""What is drift and what is not, and what the command says of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bounty_ops.cli.db.adopt import adopt
from bounty_ops.cli.db.drift import drift
from bounty_ops.cli.invocation import Invocation
from bounty_ops.errors import MigrationError, ProgramNotFound, UsageError
from bounty_ops.migrating import apply_migration, plan_migration
from bounty_ops.migrating.drift import drift_at, expected, expected_catalog
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.migrating.lines import environment, longer_line

if TYPE_CHECKING:
    from pathlib import Path

    import click

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.lineage import Lineage


def _migrated(url: DatabaseUrl, line: Lineage | None = None) -> None:
    there = environment(url)
    if line is None:
        apply_migration(plan_migration(there), there, operator="anna")
    else:
        apply_migration(plan_migration(there, line), there, operator="anna", lineage=line)


def test_a_pending_revision_is_no_drift_and_an_undeclared_one_is_seen(
    fresh_database: DatabaseUrl, pg_server: DatabaseUrl, tmp_path: Path
) -> None:
    _migrated(fresh_database)
    line = longer_line(tmp_path, "CREATE TABLE later (id int)")
    state = tmp_path / "state"
    report = drift_at(fresh_database, state_dir=state, server=pg_server, lineage=line)
    assert (report.differences, report.pending) == ((), ("bounty_0002",))
    assert report.models_and_migrations is not None
    (undeclared,) = report.models_and_migrations
    assert undeclared.sentence() == "table later should not be there"

    _migrated(fresh_database, line)
    report = drift_at(fresh_database, state_dir=state, server=pg_server, lineage=line)
    assert (report.differences, report.pending) == ((), ())
    against_models = drift_at(
        fresh_database, against="models", state_dir=state, server=pg_server, lineage=line
    )
    assert [each.object for each in against_models.differences] == ["later"]
    assert against_models.models_and_migrations is None


def test_without_any_server_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def none(*_: object, **__: object) -> None:
        raise ProgramNotFound("none", hint="none")

    monkeypatch.setattr(expected, "find_programs", none)
    with pytest.raises(MigrationError, match="no PostgreSQL here") as caught:
        expected_catalog(17, "models", state_dir=tmp_path)
    assert "VERIFY_SERVER_URL" in caught.value.hint


def _run(command: click.Command, *words: str, given: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(command, [*words], obj=Invocation(), input=given)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


@pytest.mark.soak
def test_the_commands_take_a_database_by_the_name_of_a_variable(
    fresh_database: DatabaseUrl,
    pg_server: DatabaseUrl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BOUNTY_OPS_HOME", str(tmp_path))
    monkeypatch.setenv("VERIFY_SERVER_URL", pg_server.text())
    monkeypatch.setenv("SOME_DATABASE", fresh_database.text())
    _migrated(fresh_database)
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("DROP SCHEMA bounty_ops CASCADE; CREATE INDEX stray ON bounty (title)")

    code, text = _run(drift, "--database-url", "SOME_DATABASE", "--json")
    (found,) = json.loads(text)["differences"]
    assert code == 1
    assert found == {
        "kind": "index",
        "object": "stray",
        "expected": None,
        "found": "CREATE INDEX stray ON public.bounty USING btree (title)",
        "sql": ["DROP INDEX public.stray"],
    }
    code, text = _run(drift, "--database-url", "env:SOME_DATABASE", "--sql")
    assert (code, text.splitlines()[1]) == (1, "DROP INDEX public.stray;")

    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("DROP INDEX stray")
    code, text = _run(adopt, "--database-url", fresh_database.text(), "--json")
    assert (code, json.loads(text)["outcome"]) == (0, "stamped")
    code, text = _run(drift, "--database-url", "SOME_DATABASE")
    assert code == 0
    assert "is what bounty_0001 says" in text
    with pytest.raises(UsageError, match="names the variable NO_SUCH_THING"):
        _run(drift, "--database-url", "NO_SUCH_THING")


@pytest.mark.soak
def test_the_command_writes_a_reconcile_revision(
    fresh_database: DatabaseUrl,
    pg_server: DatabaseUrl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BOUNTY_OPS_HOME", str(tmp_path))
    monkeypatch.setenv("VERIFY_SERVER_URL", pg_server.text())
    _migrated(fresh_database)
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("DROP SCHEMA bounty_ops CASCADE; CREATE INDEX stray ON bounty (title)")
    folder = tmp_path / "output"
    code, text = _run(
        adopt, "--database-url", "-", "--output", str(folder), "--json", given=fresh_database.text()
    )
    written = json.loads(text)
    assert (code, written["outcome"]) == (1, "reconcile")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        file.rpartition("/")[2] for file in written["files"]
    )
