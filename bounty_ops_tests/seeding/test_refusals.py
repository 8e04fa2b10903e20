"""What seeding will not do, and what it says then."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import (
    ConfigurationError,
    LockNotAvailable,
    SeedingError,
    ServerUnavailable,
    UsageError,
)
from bounty_ops.postgres.connect import connect
from bounty_ops.seeding import MINIMUM_ROWS, seed
from bounty_ops_tests.seeding.conftest import counted, create_schema, environment_of

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl


def test_a_protected_environment_is_not_seeded(empty_bounty: DatabaseUrl) -> None:
    environment = environment_of(empty_bounty, protected=True, require_tls=False)
    with pytest.raises(UsageError, match="development is protected") as refused:
        seed(environment, rows=1000)
    assert "development" in refused.value.hint
    assert sum(counted(empty_bounty).values()) == 0


def test_too_few_rows_are_refused_before_anything_is_connected() -> None:
    with pytest.raises(UsageError, match="too few"):
        seed(environment_of(None), rows=MINIMUM_ROWS - 1)


def test_an_unconfigured_environment_says_so() -> None:
    with pytest.raises(ConfigurationError, match="unconfigured"):
        seed(environment_of(None), rows=1000)


def test_a_server_that_is_not_there_is_named(empty_bounty: DatabaseUrl) -> None:
    nowhere = dataclasses.replace(empty_bounty, port=1)
    with pytest.raises(ServerUnavailable) as refused:
        seed(environment_of(nowhere), rows=1000)
    assert empty_bounty.password is not None
    assert empty_bounty.password not in f"{refused.value} {refused.value.hint}"


def test_a_database_without_the_schema_is_sent_to_migrate(fresh_database: DatabaseUrl) -> None:
    with pytest.raises(SeedingError, match="any of its tables") as refused:
        seed(environment_of(fresh_database), rows=1000)
    assert "bounty-ops db migrate" in refused.value.hint


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("DROP TABLE passkey, waitlist", "the tables passkey, waitlist"),
        ("DROP TABLE passkey", "the table passkey"),
        ('ALTER TABLE passkey DROP COLUMN "backedUp"', "the column passkey.backedUp"),
        ("DROP TABLE bounty, bounty_comment, submission CASCADE", "bounty, bounty_comment"),
    ],
)
def test_what_the_schema_lacks_is_named(empty_bounty: DatabaseUrl, change: str, named: str) -> None:
    with connect(empty_bounty, application_name="tests") as connection:
        connection.execute(change.encode())
    with pytest.raises(SeedingError, match=named) as refused:
        seed(environment_of(empty_bounty), rows=1000)
    assert "bounty-ops db migrate" in refused.value.hint


def test_a_table_that_is_not_empty_is_named_and_left_as_it_is(empty_bounty: DatabaseUrl) -> None:
    with connect(empty_bounty, application_name="tests") as connection:
        connection.execute("INSERT INTO rate_limit VALUES ('mine', 'key', 1, 1)")
        connection.execute("INSERT INTO organization (id, name, slug) VALUES ('a', 'b', 'c')")
    with pytest.raises(SeedingError, match="the tables organization, rate_limit"):
        seed(environment_of(empty_bounty), rows=1000)
    counts = counted(empty_bounty)
    assert {table: count for table, count in counts.items() if count} == {
        "organization": 1,
        "rate_limit": 1,
    }


def test_a_second_seeding_is_refused(fresh_database: DatabaseUrl) -> None:
    create_schema(fresh_database)
    seed(environment_of(fresh_database), rows=MINIMUM_ROWS)
    with pytest.raises(SeedingError, match=r"account, .* and 32 more"):
        seed(environment_of(fresh_database), rows=MINIMUM_ROWS)
    assert sum(counted(fresh_database).values()) == MINIMUM_ROWS


def test_a_writer_in_the_way_ends_the_wait_after_the_policys_time(
    empty_bounty: DatabaseUrl,
) -> None:
    environment = environment_of(empty_bounty, lock_timeout_seconds=0.2)
    with connect(empty_bounty, application_name="tests", autocommit=False) as connection:
        connection.execute("INSERT INTO rate_limit VALUES ('mine', 'key', 1, 1)")
        with pytest.raises(LockNotAvailable):
            seed(environment, rows=1000)
        connection.rollback()
    assert seed(environment, rows=1000).total == 1000
