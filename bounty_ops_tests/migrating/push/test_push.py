"""A developer's database becomes what the models say, and nobody else's ever does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from bounty_ops.environments import DatabaseUrl
from bounty_ops.errors import MigrationError, UsageError
from bounty_ops.migrating.generate.losing import keeps_values
from bounty_ops.migrating.push import is_local, plan_push, push, why_refused
from bounty_ops_tests.migrating.generate.shop import ROWS, SHOP, changed, line_of
from bounty_ops_tests.migrating.lines import environment, migrate

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.migrating.lineage import Lineage


@pytest.fixture
def line(tmp_path: Path) -> Lineage:
    return line_of(tmp_path / "bounty", SHOP, SHOP)


def _connect(url: DatabaseUrl) -> psycopg.Connection[Any]:
    return psycopg.connect(**url.conninfo(), autocommit=True)  # type: ignore[arg-type] # libpq's words


@pytest.mark.parametrize(
    ("host", "hostaddr", "local"),
    [
        ("localhost", None, True),
        ("127.0.0.1", None, True),
        ("127.9.9.9", None, True),
        ("::1", None, True),
        ("[::1]", None, True),
        ("/var/run/postgresql", None, True),
        ("db.example.org", None, False),
        ("10.0.0.5", None, False),
        ("0.0.0.0", None, False),  # noqa: S104 - an address that must be refused
        ("localhost.example.org", None, False),
        ("127.0.0.1.nip.io", None, False),
        ("localhost,db.example.org", None, False),
        ("localhost,127.0.0.1", None, True),
        ("localhost", "10.0.0.5", False),
        ("localhost", "127.0.0.1", True),
        ("", None, False),
    ],
)
def test_which_addresses_are_this_machines(host: str, hostaddr: str | None, local: bool) -> None:
    assert is_local(host, hostaddr) is local


@pytest.mark.parametrize(
    ("protected", "host", "revision", "words"),
    [
        (True, "localhost", None, "protected"),
        (False, "db.example.org", None, "not on this machine"),
        (False, "localhost", "bounty_0001", "managed by migrations"),
        (False, "localhost", None, None),
    ],
)
def test_what_is_refused(
    protected: bool, host: str, revision: str | None, words: str | None
) -> None:
    refusal = why_refused(
        environment="x",
        protected=protected,
        url=DatabaseUrl(host, 5432, "d", "u"),
        revision=revision,
    )
    assert (refusal is None) if words is None else (refusal is not None and words in str(refusal))


def test_a_second_push_has_nothing_to_do(
    fresh_database: DatabaseUrl, line: Lineage, tmp_path: Path, pg_server: DatabaseUrl
) -> None:
    here = environment(fresh_database)
    models = changed(
        (
            "ENUM ('draft', 'open', 'paid', 'void')",
            "ENUM ('draft', 'open', 'held', 'paid', 'void')",
        ),
        ("state DEFAULT 'draft'", "state DEFAULT 'held'"),
        ("score integer", "score bigint"),
    )
    later = line_of(tmp_path / "later" / "bounty", SHOP, models)
    for wanted in (line, later):
        plan = plan_push(here, lineage=wanted, state_dir=tmp_path, server=pg_server)
        assert plan.statements
        assert plan.losses == ()
        push(plan, here, lineage=wanted, state_dir=tmp_path, server=pg_server)
        again = plan_push(here, lineage=wanted, state_dir=tmp_path, server=pg_server)
        assert again.differences == ()
        if wanted is line:
            with _connect(fresh_database) as connection:
                for statement in ROWS:
                    connection.execute(statement.encode())
    with _connect(fresh_database) as connection:
        assert connection.execute("SELECT count(*) FROM purchase").fetchone() == (200,)


def test_data_is_lost_only_when_that_is_said(
    fresh_database: DatabaseUrl, line: Lineage, tmp_path: Path, pg_server: DatabaseUrl
) -> None:
    here = environment(fresh_database)
    with _connect(fresh_database) as connection:
        for statement in SHOP:
            connection.execute(statement.encode())
        connection.execute("ALTER TABLE log ADD COLUMN extra text")
        connection.execute("CREATE TABLE mine (id integer)")
    plan = plan_push(here, lineage=line, state_dir=tmp_path, server=pg_server)
    assert set(plan.losses) == {"column log.extra would be dropped", "table mine would be dropped"}
    with pytest.raises(UsageError, match="nothing was changed") as caught:
        push(plan, here, lineage=line, state_dir=tmp_path, server=pg_server)
    assert "--accept-data-loss" in caught.value.hint
    push(plan, here, accept_data_loss=True, lineage=line, state_dir=tmp_path, server=pg_server)
    with _connect(fresh_database) as connection:
        assert connection.execute("SELECT to_regclass('mine')").fetchone() == (None,)


def test_a_managed_database_is_left_alone(fresh_database: DatabaseUrl, tmp_path: Path) -> None:
    migrate(fresh_database)
    with pytest.raises(UsageError, match="managed by migrations"):
        plan_push(environment(fresh_database), state_dir=tmp_path)


def test_a_protected_one_is_not_even_asked(unused_port: int, tmp_path: Path) -> None:
    url = DatabaseUrl("localhost", unused_port, "d", "u")
    with pytest.raises(UsageError, match="protected"):
        plan_push(environment(url, protected=True), state_dir=tmp_path)


def test_what_changed_meanwhile_is_not_overrun(
    fresh_database: DatabaseUrl, line: Lineage, tmp_path: Path, pg_server: DatabaseUrl
) -> None:
    here = environment(fresh_database)
    plan = plan_push(here, lineage=line, state_dir=tmp_path, server=pg_server)
    with _connect(fresh_database) as connection:
        connection.execute("CREATE TABLE log (at timestamp)")
    with pytest.raises(MigrationError, match="has changed since"):
        push(plan, here, lineage=line, state_dir=tmp_path, server=pg_server)


def test_half_a_push_is_none(
    fresh_database: DatabaseUrl, tmp_path: Path, pg_server: DatabaseUrl
) -> None:
    here = environment(fresh_database)
    with _connect(fresh_database) as connection:
        for statement in SHOP:
            connection.execute(statement.encode())
        connection.execute("INSERT INTO label VALUES (1, NULL)")
    models = changed(("word text", "word text NOT NULL"), ("said text", "said text, more text"))
    later = line_of(tmp_path / "later" / "bounty", SHOP, models)
    plan = plan_push(here, lineage=later, state_dir=tmp_path, server=pg_server)
    with pytest.raises(Exception, match="contains null values"):
        push(plan, here, lineage=later, state_dir=tmp_path, server=pg_server)
    assert replace(plan) == plan_push(here, lineage=later, state_dir=tmp_path, server=pg_server)


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("integer", "bigint", True),
        ("bigint", "integer", False),
        ("integer", "text", True),
        ("text", "integer", False),
        ("numeric(8,2)", "numeric(6,2)", False),
        ("timestamp without time zone", "date", False),
        ("public.state", "public.state", True),
    ],
)
def test_which_conversions_keep_every_value(before: str, after: str, kept: bool) -> None:
    assert keeps_values(before, after) is kept
