"""What runs until Ctrl-C, with working secrets everywhere and trouble in the middle of it.

The whole stack with Dagster, the studio and the exporter: a night goes well, then the server takes
the password no longer, the channel refuses and the switch does not answer. Afterwards everything is
searched that any of them said, wrote, stored, started or sent to somebody else's programs.
"""

from __future__ import annotations

import dataclasses
import json
import re
import signal
import urllib.request
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import psycopg
import pyrage  # type: ignore[import-untyped] # it ships no types
import pytest
from psycopg import sql

from bounty_ops.cli.dagster_client import DagsterClient
from bounty_ops.environments import DatabaseUrl, load_settings
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.run import run_program
from bounty_ops_tests.embedded.observing import command_lines, none_left, processes_of
from bounty_ops_tests.watching import Watch

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops_tests.fix_command_line import CommandLine

WORD = "planted"
#: Development is told of nothing by itself.
POLICY = """\
[defaults]
ping = "PING_URL"
encrypt_to = ["{recipient}"]

[environments.development.alerts]
tell = "warning"
"""


@dataclasses.dataclass
class Desk:
    """A project whose every secret is known here."""

    shell: CommandLine
    database: DatabaseUrl
    """With the password that the project has."""
    administrator: DatabaseUrl
    secrets: tuple[str, ...]
    watch: Watch
    said: list[str] = dataclasses.field(default_factory=list)

    def run(self, *words: str) -> int:
        """Run a command next to what stays, and keep what it says."""
        outcome = self.shell.run(*words)
        self.said.append(outcome.stdout + outcome.stderr)
        return outcome.code

    def change_password(self, password: str) -> None:
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
            sql.Identifier(self.database.user), sql.Literal(password)
        )
        with psycopg.connect(**self.administrator.conninfo()) as connection:  # type: ignore[arg-type] # all are text
            connection.execute(statement)

    @contextmanager
    def staying(self, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """Start what stays; with the address that it tells. Ctrl-C ends it."""
        with self.shell.start(*words) as process:
            try:
                yield process, _address(process, self.said)
            finally:
                process.send_signal(signal.SIGINT)
                self.said.extend(process.communicate(timeout=60))

    def leaks(self, texts: dict[str, str]) -> list[str]:
        """The names of texts with a secret in them."""
        wanted = [secret.lower() for secret in self.secrets]
        return [name for name, text in texts.items() if any(w in text.lower() for w in wanted)]


def _address(process: subprocess.Popen[str], said: list[str]) -> str:
    # The exporter tells it on standard error, where nobody else says anything.
    stream = process.stderr if "serve" in process.args else process.stdout  # type: ignore[operator] # a list
    assert stream is not None
    for line in stream:
        said.append(line)
        if found := re.search(r"http://\S+?(?=[\s,\"]|$)", line):
            return found[0]
    rest = process.communicate(timeout=60)
    pytest.fail(f"it ended without telling an address: {said} {rest}")


@pytest.fixture
def desk(command_line: CommandLine, tmp_path: Path) -> Iterator[Desk]:
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "watch").mkdir()
    watch = Watch(tmp_path / "watch")
    administrator = command_line.database
    role = administrator.database.replace("test_", "planted_role_")
    database = dataclasses.replace(administrator, user=role, password=f"{WORD}-db/%")
    ops = DatabaseUrl.parse(command_line.variables["OPS_DATABASE_URL"])
    with psycopg.connect(**administrator.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        connection.execute(
            sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(database.password)
            )
        )
        connection.execute("CREATE TABLE fruit AS SELECT generate_series(1, 100) AS number")
    (command_line.home / "bounty_ops.toml").write_text(
        POLICY.format(recipient=identity.to_public())
    )
    variables = watch.variables(
        {
            **command_line.variables,
            "PYTHONPATH": command_line.environ()["PYTHONPATH"],
            "DATABASE_URL": database.text(),
            "BACKUP_AGE_IDENTITY": str(identity),
            "ALERT_URL": f"json://user:{WORD}-alert@127.0.0.1:1/{WORD}-hook",
            "PING_URL": f"http://127.0.0.1:1/{WORD}-ping",
        }
    )
    secrets = (f"{WORD}-", str(identity), *ops.secrets(), *command_line.secrets)
    shell = dataclasses.replace(command_line, variables=variables, secrets=())
    yield Desk(shell, database, administrator, secrets, watch)
    with psycopg.connect(**administrator.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def launched(dagster: DagsterClient, job: str) -> str:
    """Run a job to its end; why it failed, nothing where it went well."""
    run_id = dagster.launch(dagster.jobs()[job], tags={})
    run = dagster.wait(run_id, job)
    return "" if run.succeeded else dagster.failure(run_id)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_night_and_its_trouble_leave_no_secret_anywhere(desk: Desk) -> None:
    argv: set[str] = set()

    def look() -> None:
        argv.update(command_lines(processes_of(desk.shell.home)).splitlines())

    with ExitStack() as staying:
        up, ui = staying.enter_context(desk.staying("up"))
        dagster = DagsterClient(ui)
        for job in ("development_nightly", "development_collect"):
            assert launched(dagster, job) == ""
        look()
        _, page = staying.enter_context(desk.staying("studio", "--port", "0"))
        _, metrics = staying.enter_context(desk.staying("monitor", "serve", "--port", "0"))
        desk.change_password("another one")
        for job in ("development_nightly", "development_collect"):
            assert "password authentication failed" in launched(dagster, job)
        assert desk.run("demo") != 0
        assert desk.run("alerts", "test", "--debug") != 0
        assert desk.run("doctor", "--debug") != 0
        desk.said += [_asked(page), _asked(metrics)]
        look()
        assert up.poll() is None
    assert none_left(desk.shell.home)

    programs = desk.watch.started()
    assert {"pg_dump", "pg_restore"} <= {each.program for each in programs}
    everything = {
        "what was said": "".join(desk.said),
        "argv, as ps shows it": "\n".join(argv),
        **{f"argv of {each.argv}": "\n".join(each.argv) for each in programs},
        **{
            f"variables of {each.program}": "\n".join(each.variables)
            for each in programs
            if not each.inherits
        },
        **dict(_files(desk.shell.home)),
        **dict(_stored(desk)),
    }
    assert len(everything["the operations database and Dagster's storage"]) > 100_000
    assert any("dagster-daemon" in name for name in everything)
    assert desk.leaks(everything) == []


def _asked(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - ours
            return str(answer.read().decode())
    except HTTPError as error:
        return error.read().decode()


def _files(home: Path) -> Iterator[tuple[str, str]]:
    for path in home.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(home)), path.read_text("utf-8", errors="replace")


def _stored(desk: Desk) -> Iterator[tuple[str, str]]:
    settings = load_settings(desk.shell.home, desk.shell.variables)
    dump = run_program(find_programs(17), "pg_dump", ["--no-owner"], url=settings.require_ops_url())
    assert "dagster.event_logs" in dump
    yield "the operations database and Dagster's storage", dump
    store = ObjectStore(settings.require_object_store())
    for entry in store.list(""):
        if entry.key.endswith(".json"):
            yield f"s3: {entry.key}", json.dumps(json.loads(store.get(entry.key)))
