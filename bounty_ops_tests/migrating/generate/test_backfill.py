"""A backfill commits page by page, begins where it was left, and reads well on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from bounty_ops.errors import PostgresError
from bounty_ops.migrating.runner import render_sql
from bounty_ops.migrating.stepping import run_revision
from bounty_ops_tests.migrating.generate.shop import line_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

_REVISION = '''"""Fill."""

from bounty_ops.migrating.backfill import backfill

revision = "bounty_0002"
down_revision = "bounty_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    backfill(
        "public.t",
        key={key},
        assignments={assignments},
        where={where},
        rows=10,
        pause_seconds=0,
    )


def downgrade() -> None:
    pass
'''


def _line(
    tmp_path: Path,
    base: Sequence[str],
    assignments: str,
    where: str,
    key: tuple[str, ...] = ("id",),
) -> Path:
    line = line_of(tmp_path / "bounty", base, base).directory()
    text = _REVISION.format(key=repr(key), assignments=repr(assignments), where=repr(where))
    (line / "versions" / "bounty_0002_fill.py").write_text(text, "utf-8")
    return line


def _ask(url: DatabaseUrl, question: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type]
        cursor = connection.execute(question.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize("kind", ["integer", "text", "uuid", "timestamptz"])
def test_every_row_gets_its_value_once(
    kind: str, tmp_path: Path, fresh_database: DatabaseUrl
) -> None:
    base = (f"CREATE TABLE t (id {kind} PRIMARY KEY, n integer DEFAULT 0, said text)",)
    line = _line(tmp_path, base, "n = n + 1, said = 'a:b 100% \"x\"'", "n = 0")
    run_revision(fresh_database, line, "bounty_0001")
    value = {
        "integer": "g",
        "text": "g::text",
        "uuid": "gen_random_uuid()",
        "timestamptz": "now() + g * interval '1 microsecond'",
    }[kind]
    _ask(fresh_database, f"INSERT INTO t (id) SELECT {value} FROM generate_series(1, 95) g")
    run_revision(fresh_database, line, "bounty_0002")
    found = _ask(fresh_database, "SELECT n, said, count(*) FROM t GROUP BY 1, 2")
    assert found == [(1, 'a:b 100% "x"', 95)]
    # Ten pages: no row was locked together with more than nine others.
    assert _ask(fresh_database, "SELECT count(DISTINCT xmin::text) FROM t") == [(10,)]


def test_a_key_of_two_columns(tmp_path: Path, fresh_database: DatabaseUrl) -> None:
    base = ('CREATE TABLE t (a text, "B" integer, n integer, PRIMARY KEY (a, "B"))',)
    line = _line(tmp_path, base, "n = 1", "n IS NULL", ("a", "B"))
    run_revision(fresh_database, line, "bounty_0001")
    _ask(fresh_database, "INSERT INTO t SELECT 'k' || g % 3, g FROM generate_series(1, 47) g")
    run_revision(fresh_database, line, "bounty_0002")
    assert _ask(fresh_database, "SELECT n, count(*) FROM t GROUP BY 1") == [(1, 47)]


def test_after_a_failure_the_pages_before_it_stay_and_the_rest_follows(
    tmp_path: Path, fresh_database: DatabaseUrl
) -> None:
    base = ("CREATE TABLE t (id integer PRIMARY KEY, n integer, bad boolean DEFAULT false)",)
    line = _line(tmp_path, base, "n = 1 / (CASE WHEN bad THEN 0 ELSE 1 END)", "n IS NULL")
    run_revision(fresh_database, line, "bounty_0001")
    _ask(fresh_database, "INSERT INTO t (id, bad) SELECT g, g = 55 FROM generate_series(1, 100) g")
    with pytest.raises(PostgresError, match="division by zero"):
        run_revision(fresh_database, line, "bounty_0002")
    assert _ask(fresh_database, "SELECT count(*) FROM t WHERE n = 1") == [(50,)]
    before = _ask(fresh_database, "SELECT id, xmin::text FROM t WHERE n = 1 ORDER BY 1")
    _ask(fresh_database, "UPDATE t SET bad = false WHERE bad")
    run_revision(fresh_database, line, "bounty_0002")
    assert _ask(fresh_database, "SELECT count(*) FROM t WHERE n = 1") == [(100,)]
    after = _ask(fresh_database, "SELECT id, xmin::text FROM t WHERE id <= 50 ORDER BY 1")
    assert after == before  # nothing was done twice


def test_an_empty_table_has_no_pages(tmp_path: Path, fresh_database: DatabaseUrl) -> None:
    base = ("CREATE TABLE t (id integer PRIMARY KEY, n integer)",)
    line = _line(tmp_path, base, "n = 1", "n IS NULL")
    for revision in ("bounty_0001", "bounty_0002"):
        run_revision(fresh_database, line, revision)
    assert _ask(fresh_database, "SELECT version_num FROM bounty_ops.alembic_version") == [
        ("bounty_0002",)
    ]


def test_on_paper_it_is_one_page(tmp_path: Path) -> None:
    base = ("CREATE TABLE t (id integer PRIMARY KEY, n integer)",)
    line = _line(tmp_path, base, "n = '1:x'::int", "n IS NULL")
    paper = render_sql(line, "bounty_0001", "bounty_0002")
    assert "UPDATE public.t SET n = '1:x'::int\n" in paper
    assert "ORDER BY id LIMIT 10)" in paper
