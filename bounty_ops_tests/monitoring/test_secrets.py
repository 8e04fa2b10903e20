"""Ten thousand statements with secrets in their literals, and none of them is kept."""

from __future__ import annotations

import json
import random
import zlib
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import select

from bounty_ops.environments import Policy
from bounty_ops.monitoring import CollectionResult, Queries
from bounty_ops.monitoring.collectors.queries import collect_queries
from bounty_ops.monitoring.fingerprints import fingerprint_of
from bounty_ops.monitoring.history import latest_collections, recall, store_collection
from bounty_ops.monitoring.literals import strip_literals
from bounty_ops.monitoring.probe import open_probe
from bounty_ops.postgres.connect import engine
from bounty_ops.schema.ops import SampleText
from bounty_ops_tests.monitoring.conftest import Session, execute
from bounty_ops_tests.monitoring.secret_statements import LETTERS, SECRET, SecretStatements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl

STATEMENTS = 10_000
SESSIONS = 50


def _statements(secrets: int = 0) -> SecretStatements:
    return SecretStatements(
        random.Random(11),  # noqa: S311 - the same statements each time
        random.Random(secrets),  # noqa: S311 - the same secrets each time
    )


def test_nothing_of_a_secret_is_in_what_is_left_of_a_statement() -> None:
    made = _statements()
    for _ in range(STATEMENTS):
        text = made.make()
        kept = strip_literals(text)
        assert not SECRET.search(kept), (text, kept)


def test_fingerprints_do_not_depend_on_secrets() -> None:
    one, other = _statements(1), _statements(2)
    for _ in range(STATEMENTS // 10):
        assert fingerprint_of(one.make()) == fingerprint_of(other.make())


@pytest.fixture
def operations(make_database: Callable[..., DatabaseUrl]) -> Engine:
    return engine(make_database(line="ops"), application_name="tests")


@pytest.fixture
def sessions(
    statements_server: DatabaseUrl, open_session: Callable[..., Session]
) -> Iterator[list[Session]]:
    """Half of them with the strings of old."""
    execute(statements_server, "CREATE EXTENSION pg_stat_statements")
    execute(statements_server, "SELECT pg_stat_statements_reset()")
    execute(statements_server, "CREATE TABLE account (email text, token text, data jsonb)")
    opened = [open_session(statements_server, autocommit="no") for _ in range(SESSIONS)]
    for session in opened:
        session.prepare_threshold = None
    for session in opened:
        # They make the same role and table, in transactions that stay open.
        session.execute("SET lock_timeout = '1ms'")
        session.commit()
    for session in opened[::2]:
        session.execute("SET standard_conforming_strings = off")
        session.execute("SET escape_string_warning = off")
        session.commit()
    yield opened
    for session in opened:
        session.close()
    execute(statements_server, "DROP TABLE account")
    execute(statements_server, "DROP EXTENSION pg_stat_statements")


@pytest.mark.parametrize("statements", [1_000, pytest.param(STATEMENTS, marks=pytest.mark.soak)])
def test_nothing_of_a_secret_is_kept_of_what_a_server_shows(
    statements: int,
    statements_server: DatabaseUrl,
    sessions: list[Session],
    operations: Engine,
    open_session: Callable[..., Session],
) -> None:
    """Through pg_stat_activity and pg_stat_statements into the operations database."""
    policy = Policy(slow_query_seconds=0.000_001, statements_listed=1000)
    probe = open_probe(open_session(statements_server), policy)
    # Our own statements name float8, and every digit is taken for a secret's.
    probe.connection.execute("SET pg_stat_statements.track = none")
    made, shown, cut, counted = _statements(), 0, 0, set()
    for _ in range(statements // SESSIONS):
        for session in sessions:
            with suppress(psycopg.Error):
                session.execute(made.make().encode())
        measured = collect_queries(probe)
        queries = measured.result
        assert isinstance(queries, Queries)
        result = CollectionResult("staging", datetime.now(UTC), 0, {"queries": queries}, (), {})
        assert not SECRET.search(_texts_of(queries))
        shown += len(queries.running)
        cut += sum(query.truncated for query in queries.running)
        counted |= {statement.query_id for statement in queries.statements}
        store_collection(operations, replace(result, memory={"queries": measured.memory or b""}))
        for session in sessions:
            session.rollback()
    assert shown > statements * 0.9
    assert cut > statements * 0.02
    assert len(counted) > 100
    _assert_none_is_stored(operations)


def _texts_of(queries: Queries) -> str:
    document = queries.model_dump()
    return "\n".join(
        entry["text"] for name in ("running", "statements") for entry in document[name]
    )


def _assert_none_is_stored(operations: Engine) -> None:
    (stored,) = latest_collections(operations, "staging")
    queries = stored.family(Queries)
    assert queries is not None
    assert not SECRET.search(_texts_of(queries))
    body = zlib.decompress(recall(operations, "staging")["queries"])
    remembered = json.loads(body)["texts"]
    assert len(remembered) > 10
    assert not SECRET.search("\n".join(text for text, _ in remembered.values()))
    with operations.connect() as connection:
        kept = connection.execute(select(SampleText.body)).scalars().all()
    everything = "\n".join(kept)
    assert "account" in everything
    assert not set(LETTERS) & set(everything)
