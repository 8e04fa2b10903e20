"""Faults made on a real server: each is measured, told with the right words, and told to be over.

Thresholds that are times or sizes are lowered by the settings, as anybody may in bounty_ops.toml;
what is measured, and what is said, is what it would be with the defaults.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select

from bounty_ops.alerting import Rule, Situation, evaluate, reconcile
from bounty_ops.environments import AlertSettings, Environment, Policy
from bounty_ops.errors import BountyOpsError, ObjectStoreUnavailable, ServerUnavailable
from bounty_ops.journal import Journal
from bounty_ops.monitoring import CollectionResult, collect
from bounty_ops.object_store import ObjectStore
from bounty_ops.schema.ops import Notification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings

Session = psycopg.Connection[Any]


@dataclass
class Watched:
    """A database that is measured, judged and told of."""

    url: DatabaseUrl
    operations: Engine
    rules: dict[str, dict[str, object]] = field(default_factory=dict)
    stored: list[CollectionResult] = field(default_factory=list)
    backups: Any = ()

    def measure(self) -> CollectionResult | BountyOpsError:
        """All families, as they are now."""
        environment = Environment("production", self.url, Policy(slow_query_seconds=0.05))
        try:
            return collect(environment)
        except BountyOpsError as error:
            return error

    def look(self, rule: Rule, measured: Any = None) -> list[str]:  # noqa: ANN401 - collection or error
        """Look once with one rule; the messages that this look wrote."""
        at_once = {"for": 0, "critical_for": 0, "keep_firing_for": 0, "enabled": True}
        settings = AlertSettings.of(
            "production",
            Policy(protected=True),
            {
                "rules": {
                    **{other.value: {"enabled": False} for other in Rule},
                    rule.value: {**at_once, **self.rules.get(rule.value, {})},
                }
            },
        )
        found = Situation(
            environment="production",
            policy=Policy(protected=True),
            backups=self.backups,
            collection=measured or self.measure(),
            now=datetime.now(UTC),
            stored=tuple(self.stored),
            alerts=settings,
        )
        with self.operations.connect() as connection:
            last = connection.scalars(select(Notification.id)).all()
        reconcile(self.operations, "production", evaluate(found), settings, found.now)
        with self.operations.connect() as connection:
            rows = connection.execute(
                select(Notification.change, Notification.title, Notification.body)
                .where(Notification.id.not_in(last))
                .order_by(Notification.id)
            ).all()
        return [f"{row.change}: {row.title}\n{row.body}" for row in rows]


@pytest.fixture
def watched(fresh_database: DatabaseUrl, operations: Engine) -> Watched:
    return Watched(fresh_database, operations)


@pytest.fixture
def session(watched: Watched) -> Iterator[Callable[..., Session]]:
    opened: list[Session] = []

    def begin(name: str = "web", url: DatabaseUrl | None = None) -> Session:
        where = url or watched.url
        conninfo: dict[str, Any] = where.conninfo()
        one = psycopg.connect(**{**conninfo, "application_name": name}, autocommit=True)
        opened.append(one)
        return one

    yield begin
    for one in opened:
        one.close()


@contextmanager
def running(one: Session, statement: str) -> Iterator[None]:
    """A statement that runs, or waits, while the block is carried out."""

    def run() -> None:
        with suppress(psycopg.Error):
            one.execute(statement)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.3)
    try:
        yield
    finally:
        one.cancel()
        thread.join()


def told_and_over(first: list[str], again: list[str], over: list[str], *words: str) -> None:
    """One message at the beginning, none in between, one at the end."""
    (message,) = first
    assert message.startswith("firing: [production] ")
    for word in (*words, "\nDo: "):
        assert word in message
    assert again == []
    (end,) = over
    assert end.startswith("resolved: Resolved: [production] ")


def test_connections(watched: Watched, session: Callable[..., Session]) -> None:
    name = sql.Identifier(watched.url.database)
    session().execute(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT 8").format(name))
    crowd = [session(f"worker {number}") for number in range(6)]
    rule = Rule.CONNECTIONS_NEAR_LIMIT
    first, again = watched.look(rule), watched.look(rule)
    for one in crowd:
        one.close()
    told_and_over(first, again, _until_told(watched, rule), "8 of 8", "worker")


def _until_told(watched: Watched, rule: Rule) -> list[str]:
    """A server notices only after a moment that a client is gone."""
    for _ in range(50):
        found = watched.look(rule)
        if found:
            return found
        time.sleep(0.1)
    return []


@pytest.mark.soak
def test_idle_in_transaction(watched: Watched, session: Callable[..., Session]) -> None:
    rule = Rule.IDLE_IN_TRANSACTION
    watched.rules[rule.value] = {"warning": 0.2, "critical": None}
    one = session("forgetful")
    one.execute("BEGIN; SELECT 'a secret'")
    time.sleep(0.3)
    first, again = watched.look(rule), watched.look(rule)
    one.execute("ROLLBACK")
    pid = one.info.backend_pid
    told_and_over(first, again, watched.look(rule), "forgetful", f"pg_terminate_backend({pid})")
    assert "a secret" not in first[0]


@pytest.mark.parametrize("rule", [Rule.LONG_QUERY, Rule.LONG_TRANSACTION])
@pytest.mark.many(every=2)
def test_long(rule: Rule, watched: Watched, session: Callable[..., Session]) -> None:
    watched.rules[rule.value] = {"warning": 0.2}
    one, ours = session("report"), session("bounty-ops backup")
    with running(one, "SELECT pg_sleep(60)"), running(ours, "SELECT pg_sleep(60)"):
        first, again = watched.look(rule), watched.look(rule)
    told_and_over(first, again, watched.look(rule), "report")
    assert "bounty-ops backup" not in first[0]


@pytest.mark.parametrize(
    ("application", "words"),
    [("importer", "(importer)"), ("bounty-ops migrate (runner)", "our own migration")],
)
@pytest.mark.many(every=2)
def test_blocking(
    application: str, words: str, watched: Watched, session: Callable[..., Session]
) -> None:
    rule = Rule.BLOCKING
    # Above the threshold of the migration, below the others': only the migration may be critical.
    watched.rules[rule.value] = {"warning": 0.2, "critical": 99, "minimum": 0.2}
    session().execute("CREATE TABLE bounty (id int)")
    one = session(application)
    one.execute("BEGIN; LOCK TABLE bounty")
    with running(session("web"), "SELECT * FROM bounty"):
        first, again = watched.look(rule), watched.look(rule)
    one.execute("ROLLBACK")
    told_and_over(first, again, watched.look(rule), words, "1 session waits", "AccessShareLock")
    with watched.operations.connect() as connection:
        severity = connection.scalars(select(Notification.severity)).first()
    assert severity == ("critical" if "migrate" in application else "warning")


@pytest.mark.soak
def test_deadlocks(watched: Watched, session: Callable[..., Session]) -> None:
    rule = Rule.DEADLOCKS
    watched.rules[rule.value] = {"warning": 1}
    session().execute("CREATE TABLE a (id int); CREATE TABLE b (id int)")
    one, other = session(), session()
    for each in (one, other):
        each.execute("SET deadlock_timeout = '20ms'")
    earlier = watched.measure()
    assert isinstance(earlier, CollectionResult)
    one.execute("BEGIN; LOCK TABLE a")
    other.execute("BEGIN; LOCK TABLE b")
    with running(one, "LOCK TABLE b"), suppress(psycopg.errors.DeadlockDetected):
        other.execute("LOCK TABLE a")  # the server ends this one or that one
    for each in (one, other):
        each.execute("ROLLBACK")
        each.close()
    watched.stored = [_aged(earlier, minutes=10)]
    first = _until_told(watched, rule)
    again = watched.look(rule)
    later = watched.measure()
    assert isinstance(later, CollectionResult)
    watched.stored = [_aged(later, minutes=10)]
    told_and_over(first, again, watched.look(rule), "1 deadlocks within 10 min", "40P01")


def _aged(collection: CollectionResult, **ago: float) -> CollectionResult:
    return replace(collection, taken_at=datetime.now(UTC) - timedelta(**ago))


@pytest.mark.soak
def test_sequence_that_feeds_a_column(watched: Watched, session: Callable[..., Session]) -> None:
    rule = Rule.SEQUENCE_EXHAUSTION
    one = session()
    # The sequence has room for ever; the column it feeds has not.
    one.execute("CREATE SEQUENCE ids AS bigint; CREATE TABLE t (id int DEFAULT nextval('ids'))")
    one.execute("SELECT setval('ids', 2100000000)")
    first, again = watched.look(rule), watched.look(rule)
    one.execute("ALTER TABLE t ALTER COLUMN id TYPE bigint")
    told_and_over(first, again, watched.look(rule), "98% of sequence public.ids", "public.t.id")


def test_invalid_index(watched: Watched, session: Callable[..., Session]) -> None:
    rule = Rule.INDEX_INVALID
    one = session()
    one.execute("CREATE TABLE t AS SELECT 1 AS id FROM generate_series(1, 2)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        one.execute("CREATE UNIQUE INDEX CONCURRENTLY t_id_idx ON t (id)")
    first, again = watched.look(rule), watched.look(rule)
    one.execute("DROP INDEX t_id_idx")
    words = 'DROP INDEX CONCURRENTLY "public"."t_id_idx"'
    told_and_over(first, again, watched.look(rule), words)


@pytest.mark.soak
def test_table_growth(watched: Watched, session: Callable[..., Session]) -> None:
    rule = Rule.TABLE_GROWTH
    watched.rules[rule.value] = {"minimum": 100_000}
    one = session()
    one.execute("CREATE TABLE t AS SELECT 1 AS id FROM generate_series(1, 10000)")
    yesterday = watched.measure()
    assert isinstance(yesterday, CollectionResult)
    watched.stored = [_aged(yesterday, hours=24)]
    one.execute("INSERT INTO t SELECT 1 FROM generate_series(1, 20000)")
    first, again = watched.look(rule), watched.look(rule)
    one.execute("TRUNCATE t")
    told_and_over(first, again, watched.look(rule), "public.t grew by")


def test_vacuum_lag(watched: Watched, session: Callable[..., Session]) -> None:
    rule = Rule.VACUUM_LAG
    watched.rules[rule.value] = {"minimum": 1_000}
    one = session()
    one.execute("CREATE TABLE t (id int) WITH (autovacuum_enabled = off)")
    one.execute("INSERT INTO t SELECT generate_series(1, 2000)")
    one.execute("DELETE FROM t")
    one.close()  # which reports what it did
    first = _until_told(watched, rule)
    again = watched.look(rule)
    session().execute("VACUUM t")
    told_and_over(first, again, _until_told(watched, rule), "2,000 dead rows", "VACUUM (VERBOSE)")


@pytest.mark.soak
def test_transaction_ids(watched: Watched) -> None:
    rule = Rule.TRANSACTION_IDS
    measured = watched.measure()
    assert isinstance(measured, CollectionResult)
    found: Any = measured.families["database"]
    now = found.oldest_xid_age / found.xid_limit
    watched.rules[rule.value] = {"warning": now / 2, "critical": None}
    first, again = watched.look(rule), watched.look(rule)
    watched.rules[rule.value] = {"warning": 0.5, "critical": None}
    told_and_over(first, again, watched.look(rule), "VACUUM (FREEZE)")


def test_replication_slot(watched: Watched, session: Callable[..., Session]) -> None:
    rule = Rule.REPLICATION_SLOT
    watched.rules[rule.value] = {"warning": 100_000}
    one = session()
    name = f"reader_{watched.url.database}"[:60]
    one.execute("SELECT pg_create_physical_replication_slot(%s, true)", (name,))
    try:
        one.execute("CREATE TABLE t AS SELECT 1 AS id FROM generate_series(1, 20000)")
        first, again = watched.look(rule), watched.look(rule)
    finally:
        one.execute("SELECT pg_drop_replication_slot(%s)", (name,))
    words = f"pg_drop_replication_slot('{name}')"
    told_and_over(first, again, watched.look(rule), f"replication slot {name} keeps", words)


def test_a_family_that_may_not_be_read(watched: Watched, session: Callable[..., Session]) -> None:
    rule = Rule.MONITORING_BLIND
    owner = session()
    role = f"blind_{watched.url.database}"
    owner.execute(
        sql.SQL("CREATE ROLE {0} LOGIN PASSWORD 'x' IN ROLE pg_monitor").format(
            sql.Identifier(role)
        )
    )
    watched.url = replace(watched.url, user=role, password="x")
    owner.execute("REVOKE SELECT ON pg_catalog.pg_sequence FROM PUBLIC")
    try:
        first, again = watched.look(rule), watched.look(rule)
        owner.execute("GRANT SELECT ON pg_catalog.pg_sequence TO PUBLIC")
        over = watched.look(rule)
    finally:
        owner.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(role)))
    told_and_over(first, again, over, "sequences could not be measured", "permission denied")


def test_a_server_that_is_away(watched: Watched) -> None:
    rule = Rule.SERVER_UNREACHABLE
    here = watched.url
    watched.url = replace(here, host="127.0.0.1", port=9)
    assert isinstance(watched.measure(), ServerUnavailable)
    first, again = watched.look(rule), watched.look(rule)
    watched.url = here
    told_and_over(first, again, watched.look(rule), "127.0.0.1:9")


@pytest.mark.soak
def test_a_bucket_that_is_away(watched: Watched, s3_prefix: ObjectStoreSettings) -> None:
    rule = Rule.BUCKET_UNREACHABLE
    away = Journal(ObjectStore(replace(s3_prefix, endpoint_url="http://127.0.0.1:9")))
    with pytest.raises(ObjectStoreUnavailable) as refused:
        away.summaries("production")
    watched.backups = refused.value
    first, again = watched.look(rule), watched.look(rule)
    watched.backups = Journal(ObjectStore(s3_prefix)).summaries("production")
    told_and_over(first, again, watched.look(rule), "the bucket cannot be reached")
