"""A Dagster instance as an operator has it: the project's own dagster.yaml, on PostgreSQL."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from psycopg import sql

from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def dagster_home(
    pg_server: DatabaseUrl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A DAGSTER_HOME with the project's dagster.yaml, whose variables name a new database."""
    url = pg_server.with_database(f"dagster_{secrets.token_hex(6)}")
    with connect(pg_server, application_name="tests") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(url.database)))
    home = tmp_path_factory.mktemp("dagster_home")
    shutil.copy(PROJECT / "dagster.yaml", home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        patch.setenv("DAGSTER_PG_HOST", url.host)
        patch.setenv("DAGSTER_PG_PORT", str(url.port))
        patch.setenv("DAGSTER_PG_USER", url.user)
        patch.setenv("DAGSTER_PG_PASSWORD", url.password or "")
        patch.setenv("DAGSTER_PG_DB", url.database)
        yield home
    with connect(pg_server, application_name="tests") as connection:
        statement = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        connection.execute(statement.format(sql.Identifier(url.database)))


@pytest.fixture(scope="session")
def instance(dagster_home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance, with its storage in PostgreSQL."""
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        yield instance
