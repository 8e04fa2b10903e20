"""The models say what the database is, and work against it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bounty_ops.environments import Environment, Policy
from bounty_ops.migrating import apply_migration, migrate_ops, plan_migration
from bounty_ops.migrating.alembic_env import options, prepare
from bounty_ops.migrating.lineage import BOUNTY, LINEAGES, OPS, Lineage
from bounty_ops.postgres.connect import engine
from bounty_ops.schema import bounty, ops
from bounty_ops_tests.schema.catalogue import Facts, differences, read_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl


def _migrate(lineage: Lineage, url: DatabaseUrl) -> None:
    if lineage is OPS:
        migrate_ops(url)
        return
    environment = Environment("development", url, Policy())
    apply_migration(plan_migration(environment), environment, operator="test")


def _compare(lineage: Lineage, url: DatabaseUrl) -> list[Any]:
    with engine(url, application_name="tests").connect() as connection:
        prepare(connection)
        context = MigrationContext.configure(connection, opts=options(lineage, connection))
        found: list[Any] = compare_metadata(context, lineage.metadata)
        return found


def _facts(url: DatabaseUrl) -> Facts:
    with psycopg.connect(**url.conninfo()) as connection:  # type: ignore[arg-type] # libpq's words
        found = read_catalogue(connection)
    return {fact: value for fact, value in found.items() if "alembic_version" not in fact[1]}


@pytest.mark.parametrize("lineage", LINEAGES, ids=lambda lineage: lineage.name)
def test_alembic_finds_nothing_to_generate_after_the_migrations(
    fresh_database: DatabaseUrl, lineage: Lineage
) -> None:
    _migrate(lineage, fresh_database)
    assert _compare(lineage, fresh_database) == []


@pytest.mark.parametrize("lineage", LINEAGES, ids=lambda lineage: lineage.name)
def test_the_models_create_what_the_migrations_create(
    make_database: Callable[[], DatabaseUrl], lineage: Lineage
) -> None:
    """Alembic's comparison is blind to enum order, predicates, checks and operator classes."""
    migrated, created = make_database(), make_database()
    _migrate(lineage, migrated)
    with engine(created, application_name="tests").begin() as connection:
        connection.execute(text("CREATE SCHEMA bounty_ops"))
        lineage.metadata.create_all(connection)
    assert differences(_facts(created), _facts(migrated)) == []


def test_a_comparison_leaves_alone_what_is_not_bountys(fresh_database: DatabaseUrl) -> None:
    _migrate(BOUNTY, fresh_database)
    with engine(fresh_database, application_name="tests").begin() as connection:
        for statement in (
            "CREATE SCHEMA drizzle",
            "CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text)",
            "CREATE TABLE bounty_ops.something (id int)",
            "CREATE TABLE public.measured (day date) PARTITION BY RANGE (day)",
            "CREATE TABLE public.measured_1 PARTITION OF measured DEFAULT",
        ):
            connection.execute(text(statement))
    found = _compare(BOUNTY, fresh_database)
    assert [(change[0], change[1].name) for change in found] == [("remove_table", "measured")]


def test_the_schema_package_loads_nothing_but_sqlalchemy() -> None:
    script = """
import sys
before = set(sys.modules)
import bounty_ops.schema.bounty, bounty_ops.schema.ops
installed = set()
for name, module in list(sys.modules.items()):
    if name not in before and "site-packages" in (getattr(module, "__file__", None) or ""):
        installed.add(name.partition(".")[0])
ours = {name for name in sys.modules if name.startswith("bounty_ops.")}
print(sorted(installed - {"sqlalchemy", "typing_extensions", "greenlet", "bounty_ops"}))
print(sorted(name for name in ours if not name.startswith("bounty_ops.schema")))
print("bounty_ops.schema.bounty.passkey" in ours, "sqlalchemy" in installed)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout.split("\n") == ["[]", "[]", "True True", ""]


@pytest.fixture
def bounty_session(fresh_database: DatabaseUrl) -> Iterator[Session]:
    _migrate(BOUNTY, fresh_database)
    with Session(engine(fresh_database, application_name="tests")) as session:
        yield session


@pytest.fixture
def ops_session(fresh_database: DatabaseUrl) -> Iterator[Session]:
    _migrate(OPS, fresh_database)
    with Session(engine(fresh_database, application_name="tests")) as session:
        yield session


def test_a_row_takes_its_defaults_from_the_database(bounty_session: Session) -> None:
    author = bounty.User(id="u1", email="author@example.com")
    task = bounty.Bounty(
        title="Fix it", description="Please", amount=Decimal("12.50"), created_by_id="u1"
    )
    bounty_session.add(author)
    bounty_session.flush()
    bounty_session.add(task)
    bounty_session.commit()
    assert len(task.id) == len("c07f0f0e-b3a4-4d0c-a5a7-f3d0a3c1d3d5")
    assert (task.status, task.currency) == (bounty.BountyStatus.DRAFT, "USD")
    assert task.submission_keyword == "@bountydotnew submit"
    assert task.created_at.tzinfo is None
    assert author.role == "user"


def test_enums_are_written_by_their_labels(bounty_session: Session) -> None:
    flag = bounty.ModerationFlag(
        content_type=bounty.ModerationContentType.BOUNTY,
        content_id="b1",
        reason="spam",
        status=bounty.ModerationStatus.AUTO_FLAGGED,
    )
    bounty_session.add(flag)
    bounty_session.commit()
    stored = bounty_session.scalar(text("SELECT status::text FROM moderation_flags"))
    assert stored == "auto_flagged"


def test_columns_keep_the_names_that_python_cannot_use(bounty_session: Session) -> None:
    bounty_session.add(bounty.User(id="u1", email="author@example.com"))
    bounty_session.flush()
    bounty_session.add_all(
        [
            bounty.Organization(id="o1", name="O", slug="o", metadata_='{"plan": "free"}'),
            bounty.AdminEvent(
                event_type=bounty.AdminEventType.USER_SIGNUP, metadata_={"method": "github"}
            ),
            bounty.Passkey(
                id="p1",
                user_id="u1",
                public_key="k",
                credential_id="c",
                counter=0,
                device_type="singleDevice",
                backed_up=False,
                transports="usb",
            ),
        ]
    )
    bounty_session.commit()
    row = bounty_session.execute(
        text(
            'SELECT o.metadata, e.metadata, p."credentialID" '
            "FROM organization o, admin_events e, passkey p"
        )
    ).one()
    assert tuple(row) == ('{"plan": "free"}', {"method": "github"}, "c")


def test_device_code_is_one_table_reachable_from_both_modules() -> None:
    assert bounty.auth.DeviceCode is bounty.device_code.DeviceCode is bounty.DeviceCode


def _incident(**changes: str | datetime) -> ops.Incident:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return ops.Incident(
        **{
            "environment": "development",
            "rule": "backup_overdue",
            "subject": "database",
            "severity": "critical",
            "state": "firing",
            "opened_at": moment,
            "last_seen_at": moment,
            "message": "late",
            **changes,
        }
    )


def test_one_thing_that_is_wrong_has_one_open_incident(ops_session: Session) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    ops_session.add(_incident(state="resolved", resolved_at=moment))
    ops_session.add(_incident(state="resolved", resolved_at=moment))
    ops_session.add(_incident(subject="elsewhere"))
    ops_session.add(_incident())
    ops_session.commit()
    ops_session.add(_incident())
    with pytest.raises(IntegrityError, match="incident_open_idx"):
        ops_session.commit()


def test_an_incident_is_firing_or_resolved(ops_session: Session) -> None:
    ops_session.add(_incident(state="perhaps"))
    with pytest.raises(IntegrityError, match="incident_state_check"):
        ops_session.commit()


def test_what_no_partition_was_made_for_is_not_lost(ops_session: Session) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    ops_session.add(
        ops.Collection(
            environment="development", taken_at=moment, seconds=0.5, families_id=1, unknown_id=1
        )
    )
    ops_session.add(ops.Sample(page_id=1, collection_id=1, taken_at=moment, is_key=True, body=b"x"))
    for model in (ops.SampleFiveMinutes, ops.SampleHourly):
        ops_session.add(model(subject_id=1, starts_at=moment, body=b"x"))
    ops_session.commit()
    for table in ("collection", "sample", "sample_5min", "sample_hourly"):
        count = text(f"SELECT count(*) FROM bounty_ops.{table}_default")
        assert ops_session.scalar(count) == 1


def test_the_catalogue_takes_a_proof_before_its_backup(ops_session: Session) -> None:
    ops_session.add(
        ops.Verification(
            id="20260101T000000Z-00000000",
            backup_id="20251231T000000Z-00000000",
            environment="development",
            verdict="proved",
            verified_at=datetime(2026, 1, 1, tzinfo=UTC),
            seconds=1.5,
            proof={},
        )
    )
    ops_session.commit()
    stored = ops_session.scalars(select(ops.Verification)).one()
    assert (stored.differences, stored.verified_at) == ([], datetime(2026, 1, 1, tzinfo=UTC))
