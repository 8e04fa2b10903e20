"""A project directory as the pages take it for granted, on servers that the session shares."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from bounty_ops_tests.docs.stages import STAGES
from bounty_ops_tests.docs.walking import Walker, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.fix_command_line import CommandLine

_WITH_NGINX: Final = "test_login_before_dagster.py"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave the test out where there is no nginx (Debian: apt-get install nginx-light)."""
    return True if collection_path.name == _WITH_NGINX and shutil.which("nginx") is None else None


#: The shared servers speak no TLS, and a production environment would be refused for it.
_POLICY = """\
[environments.production]
require_tls = false
"""


@pytest.fixture
def walker(
    command_line: CommandLine, make_database: Callable[..., DatabaseUrl], pg_programs: Programs
) -> Iterator[Walker]:
    """Somebody with empty databases for some environments, and the names of two to be made.

    Of the embedded servers that a newcomer starts, the shared ones take the place: what is set is
    used.
    """
    shared = {k: v for k, v in command_line.variables.items() if k != "DATABASE_URL"}
    databases = {"development": command_line.database}
    databases |= {name: make_database() for name in ("staging", "production", "legacy")}
    for name in ("rescue", "recovered"):
        databases[name] = make_database()  # so that it is dropped in the end
        execute(databases["production"], f"DROP DATABASE {databases[name].database}")
    home = command_line.home
    text = "".join(f"{name}={said}\n" for name, said in shared.items())
    (home / ".env").write_text(text, encoding="utf-8")
    for name, url in databases.items():
        (home / f".env.{name}").write_text(f"DATABASE_URL={url.text()}\n", encoding="utf-8")
    (home / "bounty_ops.toml").write_text(_POLICY, encoding="utf-8")
    server = databases["production"]
    variables = {
        "NEW_SERVER": f"postgresql://{server.user}@{server.host}:{server.port}",
        "PGPASSWORD": server.password or "",
    }
    shell = replace(command_line, variables=variables)
    with ExitStack() as closing:
        yield Walker(shell, databases, pg_programs.directory, closing, STAGES)
