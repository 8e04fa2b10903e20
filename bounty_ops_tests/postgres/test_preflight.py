"""What cannot be backed up completely is refused before it holds a lock."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.environments import DatabaseUrl
from bounty_ops.errors import BackupError, InsufficientPrivilege
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.preflight import refuse_pooler_address, refuse_unfit
from bounty_ops.postgres.server import server_facts
from bounty_ops_tests.fix_backups import make_role, run
from bounty_ops_tests.postgres.pooler import transaction_pooler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.postgres.programs import Programs

ROLE = "preflight_role"


def check(url: DatabaseUrl) -> None:
    with connect(url, application_name="tests") as connection:
        refuse_unfit(connection, url, server_facts(connection))


@pytest.fixture
def limited(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A database with two tables and a sequence, as a role that may read none of them."""
    make_role(fresh_database, ROLE)
    run(
        fresh_database,
        "CREATE TABLE one (id serial)",
        'CREATE TABLE "Two" (i integer)',
        "CREATE SCHEMA hidden",
        "CREATE TABLE hidden.three (i integer)",
    )
    return dataclasses.replace(fresh_database, user=ROLE, password=ROLE)


def test_a_superuser_may_read_everything(limited: DatabaseUrl, pg_server: DatabaseUrl) -> None:
    check(pg_server.with_database(limited.database))


def test_what_the_role_may_not_read_is_listed(limited: DatabaseUrl) -> None:
    with pytest.raises(InsufficientPrivilege) as caught:
        check(limited)

    assert str(caught.value) == (
        f'{ROLE} may not read hidden.three, public."Two", public.one, public.one_id_seq'
    )
    assert "pg_read_all_data" in caught.value.hint


def test_a_sequence_alone_is_enough_to_refuse(limited: DatabaseUrl, pg_server: DatabaseUrl) -> None:
    owner = pg_server.with_database(limited.database)
    run(
        owner,
        f"GRANT USAGE ON SCHEMA hidden TO {ROLE}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public, hidden TO {ROLE}",
    )

    with pytest.raises(InsufficientPrivilege, match=r"may not read public\.one_id_seq$"):
        check(limited)

    run(owner, f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
    check(limited)


def test_a_large_object_alone_is_enough_to_refuse(
    limited: DatabaseUrl, pg_server: DatabaseUrl
) -> None:
    owner = pg_server.with_database(limited.database)
    run(
        owner,
        f"GRANT USAGE ON SCHEMA hidden TO {ROLE}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public, hidden TO {ROLE}",
        f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {ROLE}",
        "SELECT lo_create(4711)",
    )

    with pytest.raises(InsufficientPrivilege, match=r"may not read large object 4711$"):
        check(limited)

    run(owner, f"GRANT SELECT ON LARGE OBJECT 4711 TO {ROLE}")
    check(limited)


def test_rows_hidden_by_a_policy_are_a_reason_to_refuse(
    limited: DatabaseUrl, pg_server: DatabaseUrl
) -> None:
    owner = pg_server.with_database(limited.database)
    run(
        owner,
        f"GRANT pg_read_all_data TO {ROLE}",
        "ALTER TABLE one ENABLE ROW LEVEL SECURITY",
        f'ALTER TABLE "Two" OWNER TO {ROLE}',
        'ALTER TABLE "Two" ENABLE ROW LEVEL SECURITY',
    )

    try:
        with pytest.raises(InsufficientPrivilege) as caught:
            check(limited)
        assert str(caught.value) == f"row-level security hides rows from {ROLE} in public.one"
        assert "BYPASSRLS" in caught.value.hint

        run(owner, 'ALTER TABLE "Two" FORCE ROW LEVEL SECURITY')
        with pytest.raises(InsufficientPrivilege, match=r'in public\."Two", public\.one$'):
            check(limited)
    finally:
        run(owner, f"REVOKE pg_read_all_data FROM {ROLE}", f"REASSIGN OWNED BY {ROLE} TO postgres")


def test_a_long_list_is_cut_short(limited: DatabaseUrl, pg_server: DatabaseUrl) -> None:
    owner = pg_server.with_database(limited.database)
    run(owner, *(f"CREATE TABLE a{number:02} (i integer)" for number in range(20)))

    with pytest.raises(InsufficientPrivilege, match=r"and 14 more$"):
        check(limited)


POOLERS = [
    ("ep-cool-name-123456-pooler.eu-central-1.aws.neon.tech", 5432, "ep-cool-name-123456.eu"),
    ("aws-0-eu-central-1.pooler.supabase.com", 6543, "port 5432"),
    ("db.internal", 6432, "port 5432"),
]


@pytest.mark.parametrize(("host", "port", "hint"), POOLERS)
def test_known_transaction_poolers_are_refused_without_connecting(
    host: str, port: int, hint: str
) -> None:
    with pytest.raises(BackupError, match="transaction pooler") as caught:
        refuse_pooler_address(DatabaseUrl(host, port, "db", "user"))

    assert hint in caught.value.hint


@pytest.mark.parametrize("host", ["localhost", "/run/pooler-sockets", "my-pooler-db.example.com"])
def test_other_addresses_are_tried(host: str) -> None:
    refuse_pooler_address(DatabaseUrl(host, 5432, "db", "user"))


@pytest.fixture
def cluster(pg_programs: Programs, tmp_path: Path) -> Iterator[DatabaseUrl]:
    """A server that asks for no password, so that a simple pooler can stand before it."""
    with throwaway_cluster(pg_programs, work_dir=tmp_path) as url:
        yield url


def test_a_transaction_pooler_is_recognised_by_its_behaviour(cluster: DatabaseUrl) -> None:
    with (
        transaction_pooler(cluster) as pooled,
        pytest.raises(BackupError, match="transaction pooler"),
    ):
        check(pooled)

    check(cluster)


def test_behind_a_transaction_pooler_nothing_is_set(cluster: DatabaseUrl) -> None:
    """It would stay with the connection that the application is given next."""
    told = {"read_only": True, "statement_timeout_ms": 1_000, "lock_timeout_ms": 1_000}
    with transaction_pooler(cluster) as pooled:
        for autocommit in (True, False):
            with connect(pooled, application_name="tests", autocommit=autocommit, **told) as ours:  # type: ignore[arg-type] # each as it is named
                assert ours.execute("SELECT 1").fetchone() == (1,)
            with connect(pooled, application_name="tests") as theirs:
                theirs.execute("CREATE TABLE written (); DROP TABLE written")
                assert theirs.execute("SHOW statement_timeout").fetchone() == ("0",)
                assert theirs.execute("SHOW lock_timeout").fetchone() == ("0",)
    with (
        transaction_pooler(cluster, keep_until_the_session_ends=True) as pooled,
        connect(pooled, application_name="tests", **told) as ours,  # type: ignore[arg-type] # each as it is named
    ):
        assert ours.execute("SHOW default_transaction_read_only").fetchone() == ("on",)


def test_a_session_pooler_is_accepted(cluster: DatabaseUrl) -> None:
    with transaction_pooler(cluster, keep_until_the_session_ends=True) as pooled:
        check(pooled)


def test_a_hot_standby_is_refused(fresh_database: DatabaseUrl) -> None:
    with connect(fresh_database, application_name="tests") as connection:
        facts = dataclasses.replace(server_facts(connection), in_recovery=True)

        with pytest.raises(BackupError, match="hot standby"):
            refuse_unfit(connection, fresh_database, facts)
