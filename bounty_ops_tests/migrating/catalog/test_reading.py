"""The same schema has the same catalog on every major, however it was made and by whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.migrating.catalog import Catalog, read_catalog
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.fix_servers import all_server_majors

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

_EXPRESSIONS = Path(__file__).with_name("expressions.sql")
_MAJORS = all_server_majors()


def _read(url: DatabaseUrl, *more: str) -> Catalog:
    baseline = BOUNTY.directory() / "versions" / "bounty_0001_baseline.sql"
    with connect(url, application_name="tests") as connection:
        connection.execute(baseline.read_bytes())
        connection.execute(_EXPRESSIONS.read_bytes())
        for statement in more:
            connection.execute(statement.encode())
        return read_catalog(connection)


@pytest.mark.parametrize(
    "majors",
    [(_MAJORS[0], _MAJORS[-1]), pytest.param(tuple(_MAJORS), marks=pytest.mark.soak)],
    ids=["oldest and newest", "all"],
)
def test_every_major_gives_the_same_facts(
    majors: tuple[int, ...], make_database: Callable[..., DatabaseUrl]
) -> None:
    facts = []
    for major in majors:
        catalog = _read(make_database(major))
        assert catalog.major == major
        facts.append({item.key: dict(item.facts) for item in catalog.compared()})
    assert all(each == facts[0] for each in facts)


def test_a_catalog_survives_being_written_down(fresh_database: DatabaseUrl) -> None:
    catalog = _read(fresh_database, "GRANT SELECT ON bounty TO PUBLIC")
    again = Catalog.from_document(json.loads(json.dumps(catalog.document())))
    assert again == catalog
    assert again.fingerprint == catalog.fingerprint
    assert again.grants["table", "bounty"] == {"PUBLIC": "SELECT"}


def test_reading_changes_nothing_of_the_session_or_its_transaction(
    fresh_database: DatabaseUrl,
) -> None:
    with connect(fresh_database, application_name="tests", autocommit=False) as connection:
        connection.execute("SET search_path TO public; SET DateStyle TO 'German'")
        connection.execute("CREATE TABLE fresh (at timestamptz DEFAULT '2024-01-02 03:04:05+00')")
        catalog = read_catalog(connection)
        now = connection.execute("SELECT current_setting('search_path')").fetchone()
        connection.execute("INSERT INTO fresh DEFAULT VALUES")  # it is still there
        connection.rollback()
    assert now == ("public",)
    default = catalog.get("default", "fresh", "at")
    assert default is not None
    assert default.facts["expression"].startswith("'2024-01-02 03:04:05+00'")


def test_a_table_is_known_with_its_parts(fresh_database: DatabaseUrl) -> None:
    catalog = _read(fresh_database)
    columns = [item.name for item in catalog.parts("column", "scratch")]
    assert columns == ["scratch.a", "scratch.b"]
    assert [item.key[2] for item in catalog.parts("constraint", "scratch")] == ["arr"]
    touched = catalog.get("trigger", "bounty", "touch")
    assert touched is not None
    assert ("function", "touch", "") in touched.needs
    assert ("column", "bounty", "title") in touched.needs
