"""A real database, filled."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from bounty_ops.postgres.connect import connect
from bounty_ops.schema.bounty import Base
from bounty_ops.seeding import plan_rows, seed
from bounty_ops.seeding.plan import table_order
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.seeding.conftest import create_schema, environment_of
from bounty_ops_tests.seeding.facts import facts, generate, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.seeding.conftest import Seeded


def fingerprint(url: DatabaseUrl) -> dict[str, str]:
    """What each table holds, in one line."""
    found = {}
    with connect(url, application_name="tests") as connection:
        for table in Base.metadata.tables:
            query = sql.SQL(
                "SELECT count(*) || ' ' || md5(string_agg(md5(t::text), '' ORDER BY t.id))"
                " FROM {} t"
            ).format(sql.Identifier("public", table))
            row = connection.execute(query).fetchone()
            assert row is not None
            found[table] = str(row[0])
    return found


def counts(seeded: Seeded) -> dict[str, int]:
    return {
        table: seeded.count(f'SELECT count(*) FROM public."{table}"')
        for table in Base.metadata.tables
    }


def test_exactly_the_rows_that_were_asked_are_there(seeded: Seeded) -> None:
    assert counts(seeded) == plan_rows(20_000) == dict(seeded.result.rows)
    assert seeded.result.total == 20_000
    assert min(seeded.result.rows.values()) >= 1
    assert seeded.result.seconds > 0


def test_progress_rises_to_the_total(seeded: Seeded) -> None:
    assert list(seeded.progress) == sorted(set(seeded.progress))
    assert seeded.progress[-1] == 20_000


def test_every_foreign_key_finds_its_row_and_is_still_enforced(seeded: Seeded) -> None:
    checked = 0
    for table, fact in facts()["tables"].items():
        for key in fact["foreign_keys"]:
            (column,), (target,) = key["columns"], key["ref_columns"]
            assert not seeded.count(
                f'SELECT count(*) FROM "{table}" c LEFT JOIN "{key["ref_table"]}" p '
                f'ON p."{target}" = c."{column}" '
                f'WHERE c."{column}" IS NOT NULL AND p."{target}" IS NULL'
            ), f"{table}.{column}"
            checked += 1
    assert checked == 50
    assert not seeded.count("SELECT count(*) FROM pg_constraint WHERE NOT convalidated")
    assert not seeded.count("SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'")


@pytest.mark.parametrize(
    "reference", facts()["soft_references"], ids=lambda soft: f"{soft['table']}.{soft['column']}"
)
def test_references_without_a_constraint_find_their_row_too(
    seeded: Seeded, reference: dict[str, str]
) -> None:
    table, column = reference["table"], reference["column"]
    used = seeded.count(f'SELECT count("{column}") FROM "{table}"')
    assert used > 0
    if reference["points_to"].startswith("polymorphic"):
        kind = reference["points_to"].rpartition(" ")[2]
        kinds = {"user", "bounty", "comment", "submission", "organization"}
        joined = " UNION ALL ".join(
            f"SELECT '{name}' AS kind, id FROM "
            f'"{"bounty_comment" if name == "comment" else name}"'
            for name in sorted(kinds)
        )
        found = seeded.count(
            f'SELECT count(*) FROM "{table}" r JOIN ({joined}) t '
            f"ON t.kind = r.{kind}::text AND t.id = r.{column}"
        )
    else:
        target_table, _, target = reference["points_to"].partition(".")
        found = seeded.count(
            f'SELECT count(*) FROM "{table}" r '
            f'JOIN "{target_table}" t ON t."{target}" = r."{column}"'
        )
    assert found == used


def test_what_arrived_is_what_was_sent(seeded: Seeded) -> None:
    """COPY has its own ideas about backslashes, tabs, line ends and NULL."""
    tables = generate(20_000, 20260101)
    for table, fact in facts()["tables"].items():
        texts = [column["name"] for column in fact["columns"] if column["type"] == "text"]
        query = sql.SQL("SELECT {} FROM {}").format(
            sql.SQL(", ").join(map(sql.Identifier, texts)), sql.Identifier("public", table)
        )
        assert set(seeded.connection.execute(query)) == set(values(tables, table, texts)), table
    written = {value for (value,) in values(tables, "bounty_comment", ["content"])}
    assert {"\\.", "NULL", "Line one\nline two\r\nline three"} <= written
    tags = {
        str(tag) for (tag,) in seeded.connection.execute("SELECT DISTINCT unnest(tags) FROM bounty")
    }
    assert {'a "quoted" tag', "comma, in a tag", "back\\slash", "NULL"} <= tags


def test_the_planner_has_statistics(seeded: Seeded) -> None:
    analyzed = seeded.count(
        "SELECT count(DISTINCT tablename) FROM pg_stats WHERE schemaname = 'public'"
    )
    assert analyzed == 37


def test_the_same_seed_makes_the_same_rows_in_another_database(
    seeded: Seeded, make_database: Callable[[], DatabaseUrl]
) -> None:
    same, other = make_database(), make_database()
    for url, number in ((same, 20260101), (other, 20260102)):
        create_schema(url)
        seed(environment_of(url), rows=20_000, seed=number)
    first, second, third = fingerprint(seeded.url), fingerprint(same), fingerprint(other)
    assert first == second
    assert all(first[table] != third[table] for table in first)


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_it_works_on_every_major(major: int, make_database: Callable[..., DatabaseUrl]) -> None:
    url = make_database(major=major)
    create_schema(url)
    assert seed(environment_of(url), rows=1000).total == 1000


def test_a_role_that_may_read_and_write_is_enough(
    empty_bounty: DatabaseUrl,
) -> None:
    role, password = f"writer_{secrets.token_hex(4)}", secrets.token_hex(8)
    name = sql.Identifier(role)
    with connect(empty_bounty, application_name="tests") as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(password))
        )
        connection.execute(
            sql.SQL("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {}").format(
                name
            )
        )
        url = dataclasses.replace(empty_bounty, user=role, password=password)
        assert seed(environment_of(url), rows=1000).total == 1000
        connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
        connection.execute(sql.SQL("DROP ROLE {}").format(name))


def test_it_calls_itself_by_name_and_holds_writers_off_while_it_works(
    empty_bounty: DatabaseUrl,
) -> None:
    seen: set[tuple[object, ...]] = set()

    def look(_rows: int) -> None:
        if not seen:
            with connect(empty_bounty, application_name="tests") as connection:
                seen.update(
                    connection.execute(
                        "SELECT a.application_name, count(*) FROM pg_stat_activity a "
                        "JOIN pg_locks l USING (pid) WHERE l.mode = 'ShareRowExclusiveLock' "
                        "AND l.granted AND a.datname = current_database() GROUP BY 1"
                    ).fetchall()
                )

    seed(environment_of(empty_bounty), rows=1000, progress=look)
    assert seen == {("bounty-ops seed", len(table_order(Base.metadata)))}
