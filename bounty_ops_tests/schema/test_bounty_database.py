"""A database built by the migrations is Bounty's, in every fact and in nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from bounty_ops.environments import Environment, Policy
from bounty_ops.migrating import apply_migration, plan_migration
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.schema.catalogue import differences, read_catalogue
from bounty_ops_tests.schema.expected import expected_facts, reference
from bounty_ops_tests.schema.mutations import MUTATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl

Connection = psycopg.Connection[Any]


def _migrated(url: DatabaseUrl) -> None:
    environment = Environment("development", url, Policy())
    apply_migration(plan_migration(environment), environment, operator="test")


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_every_fact_of_the_reference_is_there_and_nothing_else(
    make_database: Callable[..., DatabaseUrl], major: int
) -> None:
    url = make_database(major=major)
    _migrated(url)
    with psycopg.connect(**url.conninfo()) as connection:  # type: ignore[arg-type] # libpq's words
        assert connection.info.server_version // 10000 == major
        assert differences(expected_facts(), read_catalogue(connection)) == []


def test_the_facts_cover_the_whole_reference() -> None:
    """An expectation that forgot half of the reference would be met by half a database."""
    facts = expected_facts()
    counts = reference()["counts"]
    public = [key for key in facts if key[1].startswith("public.")]
    assert sum(aspect == "position" for _, _, aspect in public) == counts["columns"]
    assert sum(kind == "enum" for kind, _, _ in public) == counts["enums"]
    labels = [facts[key].split(", ") for key in public if key[0] == "enum"]
    assert sum(map(len, labels)) == counts["enum_values"]
    kinds = [facts[key] for key in public if (key[0], key[2]) == ("constraint", "kind")]
    assert kinds.count("p") == counts["tables"]
    assert kinds.count("f") == counts["foreign_keys"]
    assert kinds.count("u") == counts["unique_constraints"]
    relations = [facts[key] for key in public if (key[0], key[2]) == ("relation", "kind")]
    assert relations.count("r") == counts["tables"]
    backing = counts["tables"] + counts["unique_constraints"]
    assert relations.count("i") == counts["indexes"] + backing


@pytest.fixture(scope="module")
def migrated_server(pg_server: DatabaseUrl) -> Iterator[DatabaseUrl]:
    """One migrated database for all mutations; each is rolled back."""
    url = pg_server.with_database("mutations")
    with psycopg.connect(**pg_server.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # libpq's words
        connection.execute("CREATE DATABASE mutations")
        _migrated(url)
        yield url
        connection.execute("DROP DATABASE mutations WITH (FORCE)")


@pytest.fixture
def migrated(migrated_server: DatabaseUrl) -> Iterator[Connection]:
    with psycopg.connect(**migrated_server.conninfo()) as connection:  # type: ignore[arg-type] # libpq's words
        yield connection
        connection.rollback()


@pytest.mark.parametrize(("reported", "mutation"), MUTATIONS)
def test_the_comparison_names_what_was_changed(
    migrated: Connection, reported: str, mutation: str
) -> None:
    assert differences(expected_facts(), read_catalogue(migrated)) == []
    migrated.execute(mutation.encode())
    found = differences(expected_facts(), read_catalogue(migrated))
    assert any(line.startswith(f"{reported}: ") for line in found), found
