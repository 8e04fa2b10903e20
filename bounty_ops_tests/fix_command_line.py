"""The command line as its users meet it: a process with variables, an exit code and two streams.

====================== ========== ============================================================
``bare_command_line``  function   `CommandLine` in a home of its own with nothing set
``command_line``       function   the same with empty databases and a bucket on the shared servers
``filled``             function   the same with two small tables in its database
====================== ========== ============================================================
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import bounty_ops
from bounty_ops.environments import DatabaseUrl
from bounty_ops_tests.command_server import CommandServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bounty_ops.environments import ObjectStoreSettings

_PACKAGE_PARENT = Path(bounty_ops.__file__).parents[1]
_TIMEOUT_SECONDS = 120
_COMMANDS = CommandServer()


class _Started(subprocess.Popen[str]):
    """One that nobody waits for in vain: a block around it that fails ends it."""

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:  # noqa: ANN401, PYI036 - its base's
        if kind is not None:
            self.kill()
        super().__exit__(kind, *rest)


_STARTED: list[_Started] = []


@dataclass(frozen=True)
class Outcome:
    """How one command ended and what it said."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - JSON is anything
        """Standard output, which has to be one JSON document and nothing else."""
        return json.loads(self.stdout)

    @property
    def error_lines(self) -> list[str]:
        return self.stderr.splitlines()


@dataclass(frozen=True)
class CommandLine:
    """`bounty-ops` in one project directory; whatever it says is searched for every secret."""

    home: Path
    variables: Mapping[str, str]
    secrets: tuple[str, ...] = ()

    def run(self, *words: str, shows_secrets: bool = False) -> Outcome:
        done = _COMMANDS.run(words, self.environ(), self.home, _TIMEOUT_SECONDS)
        if not shows_secrets:
            self.find_no_secret(done.stdout + done.stderr)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command that the test then interrupts; it is killed when the test fails."""
        process = _Started(
            self.argv(*words),
            env=self.environ(),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        _STARTED.append(process)
        return process

    def find_no_secret(self, text: str) -> None:
        for secret in self.secrets:
            assert secret not in text

    @property
    def database(self) -> DatabaseUrl:
        """The database that DATABASE_URL names."""
        return DatabaseUrl.parse(self.variables["DATABASE_URL"])

    def with_variables(self, **variables: str) -> CommandLine:
        return dataclasses.replace(self, variables={**self.variables, **variables})

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "bounty_ops", *words]

    def environ(self) -> dict[str, str]:
        # Tests of Dagster name their own instance there, for as long as this process lives.
        own = {name: value for name, value in os.environ.items() if not name.startswith("DAGSTER_")}
        return {
            **own,
            "PYTHONPATH": str(_PACKAGE_PARENT),
            "BOUNTY_OPS_HOME": str(self.home),
            **self.variables,
        }


@pytest.fixture(scope="session", autouse=True)
def _commands() -> Iterator[None]:
    yield
    _COMMANDS.stop()


@pytest.fixture
def bare_command_line(tmp_path: Path) -> Iterator[CommandLine]:
    """A project directory with nothing in it and nothing set."""
    home = tmp_path / "home"
    home.mkdir()
    yield CommandLine(home, {})
    for process in _STARTED:
        if process.poll() is None:
            process.kill()
            process.communicate()
    _STARTED.clear()


@pytest.fixture
def command_line(
    bare_command_line: CommandLine,
    make_database: Callable[..., DatabaseUrl],
    s3_prefix: ObjectStoreSettings,
) -> CommandLine:
    """A database, an operations database and a prefix of a bucket, all empty, as variables."""
    target, ops = make_database(), make_database(line="ops")
    variables = {
        "DATABASE_URL": target.text(),
        "OPS_DATABASE_URL": ops.text(),
        "BACKUP_BUCKET": s3_prefix.location.uri(),
        "AWS_ENDPOINT_URL_S3": s3_prefix.endpoint_url or "",
        "AWS_REGION": s3_prefix.region or "",
        "AWS_ACCESS_KEY_ID": s3_prefix.access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": s3_prefix.secret_access_key or "",
    }
    secrets = (*target.secrets(), *ops.secrets(), *s3_prefix.secrets())
    return dataclasses.replace(bare_command_line, variables=variables, secrets=secrets)


@pytest.fixture
def filled(command_line: CommandLine) -> CommandLine:
    """A database with a small table in each of two schemas."""
    with psycopg.connect(**command_line.database.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        connection.execute("CREATE TABLE fruit AS SELECT generate_series(1, 100) AS number")
        connection.execute("CREATE SCHEMA garden")
        connection.execute("CREATE TABLE garden.tree (name text)")
    return command_line
