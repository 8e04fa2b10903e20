"""Changes of models become revisions that work on rows: forward, back and forward again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from bounty_ops.migrating.catalog import read_catalog
from bounty_ops.migrating.drift import differences
from bounty_ops.migrating.generate import draft_revisions, write_revisions
from bounty_ops.migrating.generate.laboratory import Laboratory, take_back
from bounty_ops.migrating.generate.trial import essence
from bounty_ops.migrating.lint import lint_revisions
from bounty_ops.migrating.revisions import read_revisions
from bounty_ops.migrating.stepping import run_revision
from bounty_ops_tests.fix_servers import all_server_majors
from bounty_ops_tests.migrating.generate.cases import CASES
from bounty_ops_tests.migrating.generate.shop import ROWS, SHOP, line_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.catalog import Catalog
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops_tests.migrating.generate.cases import Case

#: What every run of the suite shows; the whole table is for a soak.
ALWAYS = ("many things at once",)

ON_17 = [pytest.param(name, marks=[] if name in ALWAYS else [pytest.mark.soak]) for name in CASES]


@pytest.mark.parametrize("name", ON_17)
def test_rows_live_through_it(
    name: str, tmp_path: Path, make_database: Callable[..., DatabaseUrl], pg_server: DatabaseUrl
) -> None:
    _prove(CASES[name], tmp_path, make_database(), pg_server)


@pytest.mark.soak
@pytest.mark.parametrize("major", [major for major in all_server_majors() if major != 17])
@pytest.mark.parametrize("name", CASES)
def test_rows_live_through_it_on_every_major(
    name: str,
    major: int,
    tmp_path: Path,
    make_database: Callable[..., DatabaseUrl],
    pg_server_of: Callable[[int], DatabaseUrl],
) -> None:
    """The files are written with the help of 17, as they are where only that is installed."""
    _prove(CASES[name], tmp_path, make_database(major), pg_server_of(17))


def _prove(case: Case, tmp_path: Path, url: DatabaseUrl, server: DatabaseUrl) -> None:
    line = line_of(tmp_path / "bounty", case.base, case.models)
    made = draft_revisions(line, "change it", renames=case.renames, fills=case.fills, server=server)
    assert made.drafts
    write_revisions(made, line.directory())
    risks = {step.risk for draft in made.drafts for step in draft.steps}
    assert ("blocking" in risks) == case.blocking
    if risks.isdisjoint({"blocking", "data", "clients"}):
        assert _lint_errors(line) == []
    run_revision(url, line.directory(), "bounty_0001")
    with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type]
        for statement in ROWS if case.base is SHOP else ():
            connection.execute(statement.encode())
        start, rows = read_catalog(connection), _rows(connection)
        wanted = _models(line, url)
        for direction in ("up", "down", "up"):
            for draft in made.drafts if direction == "up" else reversed(made.drafts):
                if direction == "up":
                    run_revision(url, line.directory(), draft.revision)
                else:
                    take_back(url, line.directory(), draft.revision)
            there = read_catalog(connection)
            if direction == "up":
                assert [each.sentence() for each in differences(wanted, there)] == []
            else:
                _is_what_it_was(case, connection, start, there, rows)
        assert _invalid(connection) == []


def _models(line: Lineage, url: DatabaseUrl) -> Catalog:
    """What the models lead to on this very major."""
    lab = Laboratory(url.with_database("postgres"))
    try:
        with psycopg.connect(**lab.modelled(line.metadata).conninfo()) as connection:  # type: ignore[arg-type]
            return read_catalog(connection)
    finally:
        lab.close()


def _is_what_it_was(
    case: Case,
    connection: psycopg.Connection[Any],
    start: Catalog,
    there: Catalog,
    rows: dict[str, list[str]],
) -> None:
    if not case.loses:
        assert essence(there) == essence(start)
    now = _rows(connection)
    for name, values in rows.items():
        if {name, name.partition(".")[0]}.isdisjoint(case.loses):
            assert now[name] == values, name


def _rows(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """The values of every column, sorted by the row's own text; also each table's size."""
    found = {}
    columns = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name NOT IN (SELECT table_name FROM "
        "information_schema.views WHERE table_schema = 'public')"
    ).fetchall()
    for table, column in columns:
        values = connection.execute(f'SELECT "{column}"::text FROM public."{table}"'.encode())
        found[f"{table}.{column}"] = sorted(str(value) for (value,) in values)
    return found


def _invalid(connection: psycopg.Connection[Any]) -> list[Any]:
    return connection.execute(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    ).fetchall()


def _lint_errors(line: Lineage) -> list[str]:
    revisions = read_revisions(line.directory())
    found = lint_revisions(revisions, revisions.after("bounty_0001"))
    return [
        f"{revision}:{each.line} {each.rule}: {each.message}"
        for revision, findings in found.items()
        for each in findings
        if each.level == "error"
    ]
