"""Databases that grew without migrations are recorded as they are, or brought to the migrations."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import UsageError
from bounty_ops.migrating import apply_migration, plan_migration
from bounty_ops.migrating.adopt import Adoption, adopt
from bounty_ops.migrating.drift import differences, drift_at, expected_catalog, live_catalog
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.migrating.adopt.states import EQUAL, FILLS, UNEQUAL, baseline
from bounty_ops_tests.migrating.lines import environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.evidence import MigrationEvidence
    from bounty_ops.migrating.lineage import Lineage

BOUNTY_HEAD = "bounty_0001"
#: Everything that adopting must leave alone.
_UNTOUCHED = """
    SELECT n.nspname, c.relname, c.oid, c.relfilenode, pg_catalog.pg_relation_size(c.oid)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('public', 'drizzle') ORDER BY 1, 2
"""


def _made(url: DatabaseUrl, statements: str) -> DatabaseUrl:
    with connect(url, application_name="tests") as connection:
        connection.execute((baseline() + statements).encode())
    return url


def _ask(url: DatabaseUrl, question: str) -> list[tuple[object, ...]]:
    with connect(url, application_name="tests") as connection:
        return connection.execute(question.encode()).fetchall()


def _own_line(folder: Path) -> Lineage:
    location = folder / "bounty"
    shutil.copytree(BOUNTY.directory(), location, ignore=shutil.ignore_patterns("__pycache__"))
    return replace(BOUNTY, location=location)


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is expected is built once for all tests here."""
    return tmp_path_factory.mktemp("state")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "pushed and migrated" else [pytest.mark.soak])
        for name in EQUAL
    ],
)
def test_a_database_like_the_models_is_recorded_and_left_alone(
    name: str,
    fresh_database: DatabaseUrl,
    pg_server: DatabaseUrl,
    state_dir: Path,
) -> None:
    url = _made(fresh_database, EQUAL[name])
    before = _ask(url, _UNTOUCHED)
    records: list[MigrationEvidence] = []
    there = environment(url)

    def again() -> Adoption:
        return adopt(
            there, operator="anna", state_dir=state_dir, server=pg_server, record=records.append
        )

    adoption = again()
    assert (adoption.outcome, adoption.revision) == ("stamped", BOUNTY_HEAD)
    assert adoption.differences == ()
    assert (adoption.drizzle is not None) == ("migrated" in name)
    assert _ask(url, _UNTOUCHED) == before
    assert plan_migration(there).pending == ()
    (record,) = records
    assert (record.operator, record.to_revision) == ("anna", BOUNTY_HEAD)

    assert again().outcome == "stamped"  # twice is once
    assert len(records) == 1
    report = drift_at(url, state_dir=state_dir, server=pg_server)
    assert not report.drifted
    assert report.models_and_migrations == ()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "edited a little" else [pytest.mark.soak])
        for name in UNEQUAL
    ],
)
def test_another_database_gets_a_revision_that_reconciles_it(
    name: str,
    make_database: Callable[..., DatabaseUrl],
    pg_server: DatabaseUrl,
    tmp_path: Path,
    state_dir: Path,
) -> None:
    url, line = _made(make_database(), UNEQUAL[name]), _own_line(tmp_path)
    before, there = _ask(url, _UNTOUCHED), environment(url)

    def go() -> Adoption:
        return adopt(
            there,
            operator="anna",
            fills=FILLS.get(name, {}),
            state_dir=state_dir,
            server=pg_server,
            lineage=line,
        )

    written = go()
    assert written.outcome == "reconcile"
    assert written.revision > BOUNTY_HEAD
    assert written.differences
    assert {path.suffix for path in written.files} == {".py", ".sql"}
    assert _ask(url, _UNTOUCHED) == before
    assert _ask(url, "SELECT to_regclass('bounty_ops.alembic_version')") == [(None,)]

    recorded = go()  # the files are among the migrations now
    assert (recorded.outcome, recorded.revision) == ("stamped", BOUNTY_HEAD)
    assert recorded.pending[-1] == written.revision
    assert recorded.differences == written.differences
    assert drift_at(url, state_dir=state_dir, server=pg_server, lineage=line).drifted
    assert go().outcome == "stamped"  # still the same

    plan = plan_migration(there, line)
    assert [each.revision for each in plan.pending] == list(recorded.pending)
    apply_migration(plan, there, operator="anna", lineage=line)
    report = drift_at(url, state_dir=state_dir, server=pg_server, lineage=line)
    assert (report.revision, report.differences) == (written.revision, ())
    assert _ask(url, "SELECT count(*) FROM bounty") == [(2,)]

    _elsewhere_nothing_happens(make_database(), line, url)


def _elsewhere_nothing_happens(new: DatabaseUrl, line: Lineage, reconciled: DatabaseUrl) -> None:
    """In a database that the migrations made the reconcile revision has nothing to do."""
    apply_migration(
        plan_migration(environment(new), line), environment(new), operator="anna", lineage=line
    )
    assert differences(live_catalog(new), live_catalog(reconciled)) == ()


@pytest.mark.soak
def test_a_database_that_changed_since_gets_another_revision(
    make_database: Callable[..., DatabaseUrl],
    pg_server: DatabaseUrl,
    tmp_path: Path,
    state_dir: Path,
) -> None:
    url, line = (
        _made(make_database(), "CREATE INDEX by_hand ON bounty (title)"),
        _own_line(tmp_path),
    )
    there = environment(url)

    def go() -> Adoption:
        return adopt(there, operator="anna", state_dir=state_dir, server=pg_server, lineage=line)

    first = go()
    with connect(url, application_name="tests") as connection:
        connection.execute("CREATE INDEX by_hand_too ON bounty (title)")
    second = go()
    assert (first.outcome, second.outcome) == ("reconcile", "reconcile")
    assert second.revision > first.revision


@pytest.mark.soak
def test_what_cannot_be_adopted_is_refused(
    fresh_database: DatabaseUrl, pg_server: DatabaseUrl, state_dir: Path
) -> None:
    there = environment(fresh_database)
    with pytest.raises(UsageError, match="none of Bounty's tables"):
        adopt(there, operator="anna", state_dir=state_dir, server=pg_server)
    apply_migration(plan_migration(there), there, operator="anna")
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("CREATE INDEX by_hand ON bounty (title)")
    with pytest.raises(UsageError, match="under migration already, at bounty_0001, and is not"):
        adopt(there, operator="anna", state_dir=state_dir, server=pg_server)


def test_what_is_expected_is_built_once_and_built_again_when_damaged(
    pg_server: DatabaseUrl, tmp_path: Path
) -> None:
    first = expected_catalog(17, "migrations", state_dir=tmp_path, server=pg_server)
    (kept,) = (tmp_path / "cache" / "catalogs").iterdir()
    written = kept.stat().st_mtime_ns
    again = expected_catalog(17, "migrations", state_dir=tmp_path, server=pg_server)
    assert again.fingerprint == first.fingerprint
    kept.write_text("{")
    assert (
        expected_catalog(17, "migrations", state_dir=tmp_path, server=pg_server).fingerprint
        == first.fingerprint
    )
    assert kept.stat().st_mtime_ns != written
    assert kept.stat().st_size > 1000


@pytest.mark.soak
def test_what_cannot_be_copied_is_reconciled_untried(
    fresh_database: DatabaseUrl, pg_server: DatabaseUrl, tmp_path: Path, state_dir: Path
) -> None:
    url = _made(
        fresh_database,
        "CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);"
        "CREATE VIEW by_hand AS SELECT id FROM bounty WHERE 1 === 1",
    )
    adoption = adopt(
        environment(url), operator="anna", output=tmp_path, state_dir=state_dir, server=pg_server
    )
    assert adoption.outcome == "reconcile"
    assert "not tried out" in adoption.notes[0]
    assert {each.object for each in adoption.differences} == {
        "by_hand",
        "public.===(integer,integer)",
    }
    assert not [path for path in adoption.files if path.name.endswith(".down.sql")]
