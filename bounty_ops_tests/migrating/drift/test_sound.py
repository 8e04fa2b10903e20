"""A database that is as it should be shows no difference, whatever stands beside the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.migrating.catalog import read_catalog
from bounty_ops.migrating.drift import differences
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.fix_servers import all_server_majors, oldest_and_newest_major
from bounty_ops_tests.migrating.drift.conftest import EVERY_CLASS, baseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

_MAJORS = all_server_majors()
_NEWEST_FIRST = [
    _MAJORS[-1],
    *(pytest.param(major, marks=pytest.mark.soak) for major in _MAJORS[:-1]),
]

#: What is none of a comparison's business: platforms, Drizzle, our own bookkeeping, partitions.
_BESIDE = """
    CREATE EXTENSION pg_stat_statements;
    CREATE SCHEMA extensions;
    CREATE EXTENSION amcheck WITH SCHEMA extensions;
    CREATE SCHEMA drizzle;
    CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text, created_at bigint);
    CREATE SCHEMA bounty_ops;
    CREATE TABLE bounty_ops.alembic_version (version_num varchar(32) PRIMARY KEY);
    CREATE TABLE bounty_ops.applied_revision (id int);
    CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE INDEX only_here ON event_2025 (note);
    ALTER TABLE event_2025 ADD CONSTRAINT only_here CHECK (id > 0);
    ALTER TABLE waitlist OWNER TO beside_owner;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO beside_reader;
    INSERT INTO "user" (id, name, email)
        SELECT 'u' || n, 'n', 'e' || n FROM generate_series(1, 500) n;
    ALTER TABLE bounty SET (fillfactor = 100); ALTER TABLE bounty RESET (fillfactor);
    ANALYZE
"""


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_what_is_not_bountys_is_no_difference(
    major: int, make_database: Callable[..., DatabaseUrl]
) -> None:
    plain, crowded = make_database(major), make_database(major)
    with (
        connect(plain, application_name="tests") as one,
        connect(crowded, application_name="tests") as other,
    ):
        for role in ("beside_owner", "beside_reader"):
            one.execute(f"CREATE ROLE {role}".encode())
        for connection in (one, other):
            connection.execute(baseline())
            connection.execute(EVERY_CLASS.read_bytes())
        other.execute(_BESIDE.encode())
        expected, found = read_catalog(one), read_catalog(other)
        other.execute("DROP OWNED BY beside_owner, beside_reader CASCADE")
        one.execute("DROP ROLE beside_owner, beside_reader")
    assert differences(expected, found) == ()
    assert expected.fingerprint == found.fingerprint
    rights = {f"{each.kind} {each.object}" for each in differences(expected, found, grants=True)}
    assert "owner table waitlist" in rights
    assert "grant table bounty to beside_reader" in rights


@pytest.mark.parametrize("major", _NEWEST_FIRST)
def test_rights_are_settled_by_their_sql(
    major: int, make_database: Callable[..., DatabaseUrl]
) -> None:
    url = make_database(major)
    with connect(url, application_name="tests") as connection:
        connection.execute(baseline())
        expected = read_catalog(connection)
        connection.execute(
            """
            CREATE ROLE beside_rights;
            ALTER TABLE waitlist OWNER TO beside_rights;
            GRANT SELECT, UPDATE ON bounty TO beside_rights WITH GRANT OPTION;
            GRANT SELECT (title) ON bounty TO PUBLIC;
            ALTER TYPE bounty_status OWNER TO beside_rights
            """
        )
        found = differences(expected, read_catalog(connection), grants=True)
        for each in found:
            for statement in each.sql:
                connection.execute(statement.encode())
        left = differences(expected, read_catalog(connection), grants=True)
        connection.execute("DROP ROLE beside_rights")
    assert {f"{each.kind} {each.object}" for each in found} == {
        "owner table waitlist",
        "owner enum bounty_status",
        "grant table bounty to beside_rights",
        "grant column bounty.title to PUBLIC",
    }
    assert left == ()


@pytest.mark.parametrize("major", _NEWEST_FIRST)
def test_what_is_made_anew_keeps_its_owner_and_grants(
    major: int, make_database: Callable[..., DatabaseUrl]
) -> None:
    with connect(make_database(major), application_name="tests") as connection:
        connection.execute(baseline())
        connection.execute(EVERY_CLASS.read_bytes())
        expected = read_catalog(connection)
        connection.execute(
            """
            CREATE ROLE beside_kept;
            ALTER VIEW happy_gadgets OWNER TO beside_kept;
            GRANT INSERT (label) ON happy_gadgets TO PUBLIC;
            GRANT USAGE ON TYPE mood TO beside_kept WITH GRANT OPTION;
            REVOKE EXECUTE ON FUNCTION touch() FROM PUBLIC
            """
        )
        connection.execute("ALTER TYPE mood ADD VALUE 'bored'")  # cannot be taken out of it again
        before = read_catalog(connection)
        for each in differences(expected, before):
            for statement in each.sql:
                connection.execute(statement.encode())
        after = read_catalog(connection)
        connection.execute("DROP OWNED BY beside_kept CASCADE; DROP ROLE beside_kept")
    assert after.fingerprint == expected.fingerprint
    assert after.owners == before.owners
    assert after.grants == before.grants
