"""What `doctor` says about Dagster, from its packages, its file and its database."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import dagster as dg
import psycopg
import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from bounty_ops.doctor.dagster import examine_dagster, judge_instance, judge_versions
from bounty_ops.doctor.result import State
from bounty_ops.environments import load_settings
from bounty_ops_tests.docs.pages import ROOT, blocks_of
from bounty_ops_tests.fix_tls import own_address
from bounty_ops_tests.postgres.authority import PLAIN_TOO, certified_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.doctor import CheckResult
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.postgres.authority import CertifiedServer

TABLES = """
CREATE SCHEMA dagster;
CREATE TABLE dagster.daemon_heartbeats (daemon_type text, "timestamp" timestamp);
CREATE TABLE dagster.instigators (selector_id text, status text, instigator_body text);
CREATE TABLE dagster.job_ticks (selector_id text, "timestamp" timestamp);
INSERT INTO dagster.job_ticks VALUES ('development_watch', now() AT TIME ZONE 'utc');
"""


def _examined(storage: DatabaseUrl, home: Path, **more: str) -> dict[str, CheckResult]:
    settings = load_settings(home, {})
    variables = {
        "DAGSTER_PG_HOST": storage.host,
        "DAGSTER_PG_PORT": str(storage.port),
        "DAGSTER_PG_DB": storage.database,
        "DAGSTER_PG_USER": storage.user,
        "DAGSTER_PG_PASSWORD": storage.password or "",
        **more,
    }
    return {each.name: each for each in examine_dagster(settings, variables)}


def _fill(storage: DatabaseUrl, minutes: int, statuses: dict[str, str]) -> None:
    with psycopg.connect(**storage.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        connection.execute(TABLES)
        connection.execute(
            "INSERT INTO dagster.daemon_heartbeats VALUES ('SENSOR',"
            " (now() AT TIME ZONE 'utc') - make_interval(mins => %s))",
            [minutes],
        )
        for name, status in statuses.items():
            connection.execute(
                "INSERT INTO dagster.instigators VALUES (%s, %s, %s)",
                [name, status, json.dumps({"origin": {"job_name": name}})],
            )


def test_what_runs_is_well(fresh_database: DatabaseUrl, tmp_path: Path) -> None:
    running = {"development_nightly_schedule": "DECLARED_IN_CODE", "development_watch": "RUNNING"}
    _fill(fresh_database, 0, running)
    found = _examined(fresh_database, tmp_path)
    assert [name for name, each in found.items() if each.state is not State.OK] == []


def test_a_silent_daemon_is_a_failure_and_a_schedule_that_is_off_a_warning(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    _fill(fresh_database, 20, {"development_nightly_schedule": "STOPPED"})
    found = _examined(fresh_database, tmp_path)
    assert found["daemon"].state is State.FAILED
    assert "20 minutes: SENSOR" in found["daemon"].cause
    assert found["schedules"].state is State.WARNING
    assert "development_nightly_schedule (stopped)" in found["schedules"].cause
    assert "development_watch (missing)" in found["schedules"].cause


@pytest.fixture(scope="module")
def elsewhere(
    tmp_path_factory: pytest.TempPathFactory, pg_programs: Programs
) -> Iterator[CertifiedServer]:
    """Dagster's storage on a server that is not on the loopback, and that offers TLS."""
    with certified_server(pg_programs, tmp_path_factory.mktemp("storage"), PLAIN_TOO) as server:
        _fill(server.at("require"), 0, {})
        yield server


def _told(home: Path, server: CertifiedServer, **variables: str) -> CheckResult:
    (home / ".env.production").write_text("DATABASE_URL=postgresql://a@127.0.0.1:1/b\n")
    storage = dataclasses.replace(server.url, host=own_address())
    return _examined(storage, home, **variables)["storage"]


def test_a_storage_elsewhere_whose_server_nobody_looks_at_is_a_warning(
    elsewhere: CertifiedServer, tmp_path: Path
) -> None:
    found = _told(tmp_path, elsewhere)
    assert found.state is State.WARNING
    assert "TLS, but whose certificate it is was not verified (prefer)" in found.cause
    assert "PGSSLMODE=verify-full and PGSSLROOTCERT" in (found.remedy or "")
    found = _told(tmp_path, elsewhere, PGSSLMODE="disable")
    assert found.state is State.WARNING
    assert "the connection is not encrypted" in found.cause
    (tmp_path / ".env.production").unlink()
    storage = dataclasses.replace(elsewhere.url, host=own_address())
    assert _examined(storage, tmp_path)["storage"].state is State.OK  # nothing is protected


@pytest.mark.soak
def test_the_remedy_for_the_storage_is_one_for_dagster_too(
    elsewhere: CertifiedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    address, root = own_address(), str(elsewhere.authority.root)
    found = _told(tmp_path, elsewhere, PGSSLMODE="verify-full")
    assert found.state is State.FAILED  # libpq knows no authority by itself, whatever ours does
    assert "root.crt" in found.cause
    sound = elsewhere.authority.sign("localhost", begins=-2)
    elsewhere.show(*elsewhere.authority.sign(address))
    try:
        verified = f"{address}:{elsewhere.url.port}/postgres, TLS, certificate verified"
        by_variables = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": root}
        assert _told(tmp_path, elsewhere, **by_variables).cause == f"{verified} (verify-full)"
        _write_instance(tmp_path, elsewhere, {**_shown(), "sslrootcert": root})
        assert (
            _told(tmp_path, elsewhere, DAGSTER_HOME=str(tmp_path)).cause
            == f"{verified} (verify-full)"
        )
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            assert instance.get_runs() == []
    finally:
        elsewhere.show(*sound)
    # The same file at a server with a certificate for another host: Dagster really looks.
    with (
        pytest.raises(Exception, match="too many retries") as caught,
        dg.DagsterInstance.from_config(str(tmp_path)) as instance,
    ):
        instance.get_runs()
    assert "does not match host name" in str(caught.value.__cause__)


def _shown() -> dict[str, str]:
    """What the page has people write below `params`."""
    (block,) = [
        yaml.safe_load(each.text)
        for each in blocks_of("docs/reference/dagster.md")
        if each.language == "yaml" and "sslmode" in each.text
    ]
    parameters: dict[str, str] = block["storage"]["postgres"]["postgres_db"]["params"]
    assert parameters["sslmode"] == "verify-full"
    return parameters


def _write_instance(home: Path, server: CertifiedServer, parameters: dict[str, str]) -> None:
    """The project's dagster.yaml with these parameters, and its variables written out."""
    instance = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    instance["storage"]["postgres"]["postgres_db"] |= {
        "hostname": own_address(),
        "port": server.url.port,
        "username": server.url.user,
        "password": server.url.password,
        "db_name": "postgres",
        "params": {"options": "-csearch_path=of_dagster", **parameters},
    }
    with psycopg.connect(**server.at("require").conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        connection.execute("CREATE SCHEMA IF NOT EXISTS of_dagster")
    (home / "dagster.yaml").write_text(yaml.safe_dump(instance), encoding="utf-8")


def test_a_database_that_is_not_dagsters_is_a_failure(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    assert _examined(fresh_database, tmp_path)["storage"].state is State.FAILED


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("storage: {postgres: {postgres_db: {scheme: postgresql+psycopg2}}}", State.OK),
        ("storage: {postgres: {postgres_url: 'postgresql+psycopg2://a@b/c'}}", State.OK),
        ("storage: {postgres: {postgres_db: {hostname: h}}}", State.FAILED),
        ("storage: {postgres: {postgres_url: 'postgresql://a@b/c'}}", State.FAILED),
        ("storage: {postgres: {postgres_url: {env: URL}}}", State.UNKNOWN),
        ("telemetry: {enabled: false}", State.WARNING),
        ("{", State.FAILED),
        ("just a word", State.FAILED),
    ],
)
def test_the_driver_of_the_storage_is_judged(tmp_path: Path, text: str, state: State) -> None:
    path = tmp_path / "dagster.yaml"
    path.write_text(text)
    assert judge_instance(path).state is state


def test_packages_of_two_releases_are_a_failure() -> None:
    good = {
        "dagster": "1.13.27",
        "dagster-webserver": "1.13.27",
        "dagster-graphql": "1.13.27",
        "dagster-postgres": "0.29.27",
    }
    assert judge_versions(good).state is State.OK
    found = judge_versions({**good, "dagster-postgres": "0.11.0"})
    assert found.state is State.FAILED
    assert "dagster-postgres==0.29.27" in (found.remedy or "")
