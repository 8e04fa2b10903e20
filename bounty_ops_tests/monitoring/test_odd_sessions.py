"""What somebody set for a session, or put before a server, changes no number and breaks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.errors import MonitoringError
from bounty_ops.monitoring import CollectionResult, Sequences, ServerSettings, Tables, collect
from bounty_ops_tests.monitoring.conftest import Session, environment_of, execute
from bounty_ops_tests.postgres.pooler import transaction_pooler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs

#: Each of these, left as it is, made statements fail, answer otherwise, or wait.
ODD: Final = {
    "search_path": "odd, pg_catalog",
    "DateStyle": "'German'",
    "IntervalStyle": "'iso_8601'",
    "TimeZone": "'<+05>-05'",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "statement_timeout": "'100ms'",
    "idle_session_timeout": "'20ms'",
    "client_encoding": "'LATIN1'",
    "array_nulls": "off",
    "bytea_output": "'escape'",
}
#: `=` of names and texts says no, and a number is a text.
OTHER_OPERATORS: Final = """
CREATE SCHEMA odd; GRANT USAGE ON SCHEMA odd TO PUBLIC;
CREATE FUNCTION odd.no(name, name) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR odd.= (LEFTARG = name, RIGHTARG = name, FUNCTION = odd.no);
CREATE FUNCTION odd.no(text, text) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR odd.= (LEFTARG = text, RIGHTARG = text, FUNCTION = odd.no);
CREATE DOMAIN odd.float8 AS text; CREATE DOMAIN odd.timestamptz AS text;
"""


def subjects(result: CollectionResult) -> dict[str, list[str]]:
    """What was measured, apart from sessions, whose process ids differ."""
    return {
        name: sorted(subject for subject, _ in family.samples() if "pid " not in subject)
        for name, family in result.families.items()
        if name != ServerSettings.family
    }


def test_what_a_role_sets_for_its_sessions_makes_no_difference(
    fresh_database: DatabaseUrl, make_role: Callable[..., DatabaseUrl]
) -> None:
    execute(fresh_database, OTHER_OPERATORS)
    execute(fresh_database, "CREATE TABLE public.fruit (id serial PRIMARY KEY, at timestamptz)")
    plain, odd = (make_role(fresh_database, "IN ROLE pg_monitor") for _ in range(2))
    for name, value in ODD.items():
        execute(fresh_database, f"ALTER ROLE {{}} SET {name} = {value}", odd.user)
    usual = collect(environment_of(plain, sampling_seconds=0.2))
    found = collect(environment_of(odd, sampling_seconds=0.2))
    assert subjects(found) == subjects(usual)
    assert [(each.family, each.subject) for each in found.unknown] == [
        (each.family, each.subject) for each in usual.unknown
    ]
    settings = found.family(ServerSettings)
    assert settings is not None
    # They are the role's, and not the server's.
    own = {each.name for each in settings.settings if each.scope == f"role {odd.user}"}
    assert own == set(ODD)
    server = {each.name: each.value for each in settings.settings if each.scope == "server"}
    assert not server.keys() & {"search_path", "statement_timeout", "idle_session_timeout"}


@pytest.fixture
def cluster(pg_programs: Programs, tmp_path: Path) -> Iterator[DatabaseUrl]:
    """A server that asks for no password, so that a simple pooler can stand before it."""
    with throwaway_cluster(pg_programs, work_dir=tmp_path) as url:
        yield url


def test_behind_a_transaction_pooler_nothing_is_measured_and_nothing_stays_behind(
    cluster: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    execute(cluster, "CREATE TABLE orders (id integer)")
    with transaction_pooler(cluster) as pooled:
        with pytest.raises(MonitoringError, match="transaction pooler") as caught:
            collect(environment_of(pooled))
        assert "direct address" in caught.value.hint
        # The application's turn, at the very server connections that the collection was lent.
        one, other = open_session(pooled, autocommit="no"), open_session(pooled, autocommit="no")
        for session in (one, other):
            session.execute("INSERT INTO orders VALUES (1)")
            assert session.execute("SHOW lock_timeout").fetchone() == ("0",)
        one.commit()
        other.commit()
        one.close()
        other.close()
    with transaction_pooler(cluster, keep_until_the_session_ends=True) as pooled:
        tables = collect(environment_of(pooled)).family(Tables)
    assert tables is not None
    assert [table.name for table in tables.tables] == ["orders"]


def test_names_in_another_encoding_than_the_databases_are_shown_by_their_bytes(
    pg_server: DatabaseUrl, fresh_database: DatabaseUrl
) -> None:
    """Names of roles are the whole server's, in the encoding of whatever database made them."""
    latin = pg_server.with_database("test_in_latin1")
    execute(
        pg_server,
        "CREATE DATABASE {} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        latin.database,
    )
    try:
        execute(latin, "CREATE ROLE {}", "jürgen")
        execute(
            latin, "ALTER ROLE {} IN DATABASE {} SET work_mem = '5MB'", "jürgen",
            fresh_database.database,
        )  # fmt: skip
        execute(fresh_database, "CREATE TABLE plain (id serial)")
        result = collect(environment_of(fresh_database))
        settings, sequences = result.family(ServerSettings), result.family(Sequences)
        assert settings is not None
        assert sequences is not None
        told = [each.scope for each in settings.settings if each.name == "work_mem"]
        assert told == [f"role j\\xfcrgen in database {fresh_database.database}"]
        assert [each.name for each in sequences.sequences] == ["plain_id_seq"]
    finally:
        execute(latin, "DROP OWNED BY {0}; DROP ROLE {0}", "jürgen")
        execute(pg_server, "DROP DATABASE {} WITH (FORCE)", latin.database)
