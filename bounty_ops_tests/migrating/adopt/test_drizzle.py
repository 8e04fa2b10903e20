"""After adoption Drizzle's own tools leave our state alone, and what they change has a name."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from bounty_ops.migrating.adopt import adopt
from bounty_ops.migrating.drift import drift_at
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.migrating.adopt.drizzle import DrizzleKit, schema
from bounty_ops_tests.migrating.lines import environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

_OURS = """
    SELECT (SELECT array_agg(v.version_num) FROM bounty_ops.alembic_version v),
           (SELECT array_agg((a.revision, a.sha256, a.applied_at, a.direction)::text ORDER BY 1)
              FROM bounty_ops.applied_revision a)
"""
_THEIRS = "SELECT array_agg(m::text ORDER BY m.id) FROM drizzle.__drizzle_migrations m"


def _ask(url: DatabaseUrl, question: str) -> object:
    with connect(url, application_name="tests") as connection:
        return connection.execute(question.encode()).fetchone()


def _changed(text: str) -> str:
    """A column more, a default and an index less, another label and a new table."""
    edits = (
        ('"title": p.text("title")', '"stray": p.text("stray"),\n  "title": p.text("title")'),
        (".default(sql`'USD'`)", ".default(sql`'EUR'`)"),
        ('p.index("payout_bounty_id_idx").on(t["bounty_id"]),\n  ', ""),
        ('"completed", "cancelled"]', '"completed", "cancelled", "lost"]'),
    )
    for before, after in edits:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text + 'export const t_stray = p.pgTable("stray", { id: p.text("id").primaryKey() });\n'


_SAID = {
    "column bounty.stray",
    "enum bounty_status",
    "table stray",
    "index payout_bounty_id_idx",
}


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> DrizzleKit:
    return DrizzleKit.install(tmp_path_factory.mktemp("drizzle"))


def test_push_leaves_our_state_alone_and_its_change_is_named(
    kit: DrizzleKit,
    make_database: Callable[..., DatabaseUrl],
    pg_server: DatabaseUrl,
    tmp_path: Path,
) -> None:
    url = make_database()
    kit.declare(schema())
    kit.push(url)
    adoption = adopt(environment(url), operator="anna", state_dir=tmp_path, server=pg_server)
    assert (adoption.outcome, adoption.drizzle) == ("stamped", None)
    ours = _ask(url, _OURS)

    kit.push(url)
    assert _ask(url, _OURS) == ours
    assert not drift_at(url, state_dir=tmp_path, server=pg_server).drifted

    kit.declare(_changed(schema()))
    kit.push(url)
    assert _ask(url, _OURS) == ours
    report = drift_at(url, state_dir=tmp_path, server=pg_server)
    said = {f"{each.kind} {each.object}" for each in report.differences}
    assert said >= _SAID
    assert any(name.startswith("default ") for name in said)
    with connect(url, application_name="tests") as connection:
        for each in report.differences:
            for statement in each.sql:
                connection.execute(statement.encode())
    assert not drift_at(url, state_dir=tmp_path, server=pg_server).drifted


def test_migrate_leaves_our_state_alone_and_its_change_is_named(
    kit: DrizzleKit,
    make_database: Callable[..., DatabaseUrl],
    pg_server: DatabaseUrl,
    tmp_path: Path,
) -> None:
    url = make_database()
    kit.declare(schema())
    migration = kit.generate()
    kit.migrate(url)
    theirs = _ask(url, _THEIRS)
    adoption = adopt(environment(url), operator="anna", state_dir=tmp_path, server=pg_server)
    assert adoption.outcome == "stamped"
    assert adoption.drizzle is not None
    assert adoption.drizzle.hashes == (hashlib.sha256(migration.read_bytes()).hexdigest(),)
    assert adoption.drizzle.newest is not None
    assert _ask(url, _THEIRS) == theirs
    ours = _ask(url, _OURS)

    kit.migrate(url)
    assert (_ask(url, _OURS), _ask(url, _THEIRS)) == (ours, theirs)

    kit.declare(_changed(schema()))
    kit.generate()
    kit.migrate(url)
    assert _ask(url, _OURS) == ours
    report = drift_at(url, state_dir=tmp_path, server=pg_server)
    assert {f"{each.kind} {each.object}" for each in report.differences} >= _SAID
