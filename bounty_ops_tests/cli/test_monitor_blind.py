"""`monitor` as a role that may connect and nothing else: what it cannot see is unknown."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops_tests.fix_servers import all_server_majors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.fix_command_line import CommandLine

ROLE = "may_only_connect"
NEWEST_FIRST = list(reversed(all_server_majors()))
SCHEMA = """
CREATE TABLE person (id serial PRIMARY KEY, email text NOT NULL, expires_at timestamptz);
INSERT INTO person (email, expires_at)
SELECT 'somebody ' || g, timestamp '2001-01-01' FROM generate_series(1, 500) AS g;
CREATE INDEX ON person (email); CREATE INDEX ON person (email, id);
SELECT setval('person_id_seq', 2147483000);
ANALYZE;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
"""
#: Of each command, what it has to call unknown.
UNKNOWN = {
    "locks": {"sessions of other roles"},
    "connections": {"states of other roles' connections"},
    "queries": {"queries of other roles", "slow statements"},
    "tables": {"how rows are found and when they expire"},
    "indexes": {"bloat of indexes"},
}


@contextlib.contextmanager
def somebody_else(url: DatabaseUrl) -> Iterator[None]:
    """A transaction of the owner that is open and idle, after a statement with a secret in it."""
    with psycopg.connect(**url.conninfo()) as session:  # type: ignore[arg-type] # libpq's words
        session.execute("SELECT count(*) FROM person WHERE email = 'planted secret'")
        yield


@pytest.fixture
def blind(
    command_line: CommandLine, make_database: Callable[..., DatabaseUrl], major: int
) -> Iterator[CommandLine]:
    """The command line as a role without any privilege, beside somebody else's session."""
    url = make_database(major=major)
    connecting = url.conninfo()
    with psycopg.connect(**connecting, autocommit=True) as owner:  # type: ignore[arg-type] # libpq's words
        owner.execute(SCHEMA)
        owner.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'planted'")
        owner.execute(f'REVOKE ALL ON DATABASE "{url.database}" FROM PUBLIC'.encode())
        owner.execute(f'GRANT CONNECT ON DATABASE "{url.database}" TO {ROLE}'.encode())
        try:
            with somebody_else(url):
                role = replace(url, user=ROLE, password="planted")
                yield command_line.with_variables(DATABASE_URL=role.text())
        finally:
            owner.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")


@pytest.mark.soak
@pytest.mark.parametrize("major", NEWEST_FIRST)
def test_a_role_that_may_only_connect_sees_nothing_green_where_it_is_blind(
    blind: CommandLine,
) -> None:
    for name, subjects in UNKNOWN.items():
        said = blind.run("monitor", name)
        assert (said.code, said.stderr) == (0, ""), said.stderr
        told = {line.split(": ")[1] for line in said.stdout.splitlines() if "unknown: " in line}
        assert subjects <= told, said.stdout
        assert "planted secret" not in said.stdout
        assert "none" not in said.stdout.splitlines()  # what is not seen is not nothing
    reported = blind.run("monitor", "report", "--json")
    assert reported.code == 0, reported.stderr
    document = reported.document
    reasons = [each["reason"] for each in document["unknown"]]
    assert all(each["remedy"] for each in document["unknown"])
    assert not [reason for reason in reasons if "SQLSTATE" in reason]
    unseen = {(each["family"], each["subject"]) for each in document["unknown"]}
    assert {
        ("activity", "sessions of other roles"),
        ("sequences", "public.person_id_seq"),
        ("settings", "settings that only superusers see"),
        ("tables", "how rows are found and when they expire"),
        ("indexes", "bloat of indexes"),
    } <= unseen
    findings = [each for each in document["findings"] if each["severity"] == "unknown"]
    assert {each["title"] for each in findings} >= {subject for _, subject in unseen}


@pytest.mark.soak
@pytest.mark.parametrize("major", NEWEST_FIRST[:1])
def test_the_page_and_the_collection_of_a_blind_role_say_so_too(
    blind: CommandLine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    page = tmp_path_factory.mktemp("page") / "report.html"
    reported = blind.run("monitor", "report", "--html", str(page))
    assert reported.code == 0
    assert "could not be seen" in reported.stdout.splitlines()[0]
    text = page.read_text("utf-8")
    assert '<b class="unknown">unknown</b>' in text
    assert '<b class="good">' not in text
    collected = blind.run("monitor", "collect")
    assert (collected.code, collected.stderr) == (0, "")
    assert "longest transaction unknown" in collected.stdout
    assert "1, of which 1 could not be read" in collected.stdout
