"""What the linter knows from a server is what it knows from the statements that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops.migrating.lint import Catalogue, lint_sql, read_catalogue
from bounty_ops.migrating.lint.learning import learn_script
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.migrating.lint.examples import EXAMPLES, hazards
from bounty_ops_tests.migrating.lint.examples_structure import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

_MORE = """
CREATE UNLOGGED TABLE scratch (a int);
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM bounty;
CREATE PUBLICATION news FOR TABLE person;
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON person USING (email = current_user);
ALTER TABLE bounty ADD CONSTRAINT later CHECK (num > 0) NOT VALID;
ALTER TABLE bounty ADD FOREIGN KEY (person_id) REFERENCES person (id) NOT VALID;
CREATE SCHEMA other; CREATE TABLE other.thing (a int PRIMARY KEY, m mood);
CREATE TYPE pair AS (a int, b int);
"""


@pytest.fixture
def known(
    request: pytest.FixtureRequest, pg_server_of: Callable[[int], DatabaseUrl]
) -> tuple[int, Catalogue]:
    """A server's major version, and what it says about the schema of the examples."""
    major = request.param
    server = pg_server_of(major)
    name = f"lint_{major}"
    with psycopg.connect(**server.conninfo(), autocommit=True) as admin:  # type: ignore[arg-type] # all are text
        admin.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        admin.execute(f"CREATE DATABASE {name}".encode())
    url = server.with_database(name)
    with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        connection.execute((SCHEMA + _MORE).encode())
        found = read_catalogue(connection)
    for table in found.tables.values():
        table.size = 10_000_000  # empty as they are, nothing about them would be a hazard
    return major, found


def _learned() -> Catalogue:
    catalogue = Catalogue()
    learn_script(catalogue, SCHEMA + _MORE)
    return catalogue


@pytest.mark.parametrize("known", oldest_and_newest_major(), indirect=True)
def test_a_server_says_what_its_statements_said(known: tuple[int, Catalogue]) -> None:
    major, live = known
    learned = _learned()
    assert live.complete
    assert set(live.tables) == set(learned.tables)
    for name, table in learned.tables.items():
        there = live.tables[name]
        assert there.kind == table.kind, name
        for what in ("parent", "partitions", "default_partition", "partition_columns", "policies",
                     "row_security", "unlogged", "publications"):  # fmt: skip
            assert getattr(there, what) == getattr(table, what), (name, what)
        if table.complete:
            _compare_columns(name, learned, live, major)
    assert live.enums == learned.enums
    assert live.types == learned.types
    assert {n: d.base for n, d in live.domains.items()} == {
        n: d.base for n, d in learned.domains.items()
    }
    assert live.view_columns.keys() == learned.view_columns.keys()
    assert {n: f.volatile for n, f in live.functions.items()} == {"fixed": False, "fresh": True}


def _compare_columns(name: str, learned: Catalogue, live: Catalogue, major: int) -> None:
    columns = {
        n: (str(c.type), c.not_null, c.identity, c.generated)
        for n, c in learned.tables[name].columns.items()
    }
    assert {
        n: (str(c.type), c.not_null, c.identity, c.generated)
        for n, c in live.tables[name].columns.items()
    } == columns, (name, major)
    kinds = {"notnull"}
    assert {
        (c.kind, c.valid, c.references)
        for c in live.tables[name].constraints.values()
        if c.kind not in kinds
    } == {
        (c.kind, c.valid, c.references)
        for c in learned.tables[name].constraints.values()
        if c.kind not in kinds
    }, name
    assert {(i.columns, i.unique, i.partial, i.primary) for i in live.indexes_on(name)} == {
        (i.columns, i.unique, i.partial, i.primary) for i in learned.indexes_on(name)
    }, name


@pytest.mark.parametrize("known", oldest_and_newest_major(), indirect=True)
def test_the_examples_have_the_same_hazards_with_a_server(known: tuple[int, Catalogue]) -> None:
    _, live = known
    about = [each for each in EXAMPLES if each.schema]
    wrong = [
        (str(each), found)
        for each in about
        if (found := hazards(lint_sql(each.text(), catalogue=live, pg_major=each.major)))
        != each.rules
    ]
    # A foreign key, a publication and policies more than the examples were written for.
    allowed = ("person",)
    assert not [each for each in wrong if not any(word in each[0] for word in allowed)]
