"""Somebody who sits down at a fresh machine and types what the pages say, and nothing else."""

from __future__ import annotations

import os
import shlex
import time
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from bounty_ops.embedded.databases import Databases
from bounty_ops.embedded.state import State
from bounty_ops_tests.docs.fresh_machine import interrupt, none_left
from bounty_ops_tests.docs.pages import blocks_of
from bounty_ops_tests.docs.stages import STAGES
from bounty_ops_tests.docs.terminal import answered
from bounty_ops_tests.docs.walking import Walker, execute
from bounty_ops_tests.fix_command_line import CommandLine, Outcome

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.docs.fresh_machine import FreshMachine
    from bounty_ops_tests.docs.pages import Block

TUTORIAL: Final = "docs/tutorial/first-night.md"
#: `make` downloads some 500 MB.
_TIMEOUT_SECONDS: Final = 900
_SHOWN_HOME: Final = "/srv/bounty-ops"
_RUNS: Final = "Ctrl-C stops everything."
#: What one shell exported is there in the next, as it is in one terminal.
_SHELL: Final = """set -euo pipefail
if [ -e ~/.exported ]; then . ~/.exported; fi
trap 'export -p > ~/.exported' EXIT
{text}"""


@dataclass(frozen=True)
class Typed(CommandLine):
    """`bounty-ops`, typed on a fresh machine."""

    machine: FreshMachine | None = None

    def run(self, *words: str, shows_secrets: bool = False) -> Outcome:
        assert self.machine is not None
        script = _SHELL.format(text=shlex.join([".venv/bin/bounty-ops", *words]))
        done = self.machine.run(script, _TIMEOUT_SECONDS)
        if not shows_secrets:
            self.find_no_secret(done.stdout + done.stderr)
        return Outcome(done.returncode, done.stdout, done.stderr)


@dataclass
class Newcomer(Walker):
    """Types into one terminal, while `bounty-ops up` runs in another."""

    sits_at: FreshMachine | None = None
    terminal: subprocess.Popen[bytes] | None = None
    """Where `up` runs."""
    urls: dict[str, DatabaseUrl] = field(default_factory=dict)

    @property
    def fresh(self) -> FreshMachine:
        """The machine."""
        assert self.sits_at is not None
        return self.sits_at

    def walk(self, page: str) -> None:
        """Do everything that the page says, but for what needs a program that is not there."""
        for block in blocks_of(page):
            needed = block.marks.get("needs")
            if needed is None or self.in_a_shell(f"command -v {needed}")[0] == 0:
                self.act(block)

    def act(self, block: Block) -> None:
        """Do also what another test shows of the tutorial: here is all that it takes."""
        if block.page == TUTORIAL and block.mark == "shown by":
            for command in block.commands:
                self.type(command.text)
        else:
            super().act(block)

    def type(self, text: str) -> list[str]:
        """Type a line, which has to end well; what it prints."""
        if text.endswith("bounty-ops up"):
            self.up(text)
            return []
        code, said = self.in_a_shell(text)
        assert code == 0, f"{text}: exit code {code}\n" + "\n".join(said)
        return said

    def up(self, text: str = ".venv/bin/bounty-ops up --no-ui") -> None:
        """Have the servers run in a terminal of their own until `down`."""
        log = self.fresh.place / "up.log"
        self.terminal = self.fresh.start(f"exec {text}", log)
        said = until(self.terminal, log, _RUNS)
        self.line = replace(self.line, secrets=self.fresh.secrets())
        self.line.find_no_secret(said)

    def down(self) -> None:
        """Ctrl-C in that terminal: everything ends, and nothing is said of it."""
        assert self.terminal is not None
        assert interrupt(self.terminal) == 0, (self.fresh.place / "up.log").read_text("utf-8")
        assert none_left(self.fresh) == []
        self.terminal = None

    def leave(self) -> None:
        """Stop what was started, the last of all things."""
        if self.terminal is not None:
            self.down()

    def make_room(self, *environments: str, unmade: tuple[str, ...] = ()) -> None:
        """Databases at "another server", which is the one of `up`, and who may do all there."""
        server = Databases(self._state, self._state.secrets()).superuser()
        for name in (*environments, *unmade):
            self.urls[name] = replace(server, database=f"test_{token_hex(6)}")
        for name in environments:
            execute(server, f"CREATE DATABASE {self.urls[name].database}")

    def bucket(self) -> str:
        """Variables that name the bucket of `up`, a line each."""
        secrets = self._state.secrets()
        port = self._state.remembered_ports()["s3"]
        return (
            f"BACKUP_BUCKET=s3://bounty-backups/test-{token_hex(6)}\n"
            f"AWS_ENDPOINT_URL_S3=http://127.0.0.1:{port}\n"
            "AWS_REGION=us-east-1\n"
            f"AWS_ACCESS_KEY_ID={secrets.s3_access_key_id}\n"
            f"AWS_SECRET_ACCESS_KEY={secrets.s3_secret_access_key}\n"
        )

    @property
    def _state(self) -> State:
        return State(self.fresh.project / ".bounty-ops")

    def write(self, name: str, text: str) -> None:
        """A file in the checkout that is the newcomer's."""
        path = self.line.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self._own(path)

    def export(self, variables: Mapping[str, str]) -> None:
        super().export(variables)
        self.type(f"export {shlex.join(f'{name}={value}' for name, value in variables.items())}")

    def check_out(self) -> None:
        """It is one."""

    def in_a_shell(self, text: str, typed: str | None = None) -> tuple[int, list[str]]:
        script = _SHELL.format(text=text)
        if typed is None:
            done = self.fresh.run(f"exec 2>&1\n{script}", _TIMEOUT_SECONDS)
            code, said = done.returncode, done.stdout
        else:
            argv = self.fresh.argv(script)
            code, said = answered(
                argv, typed, env={}, cwd=self.fresh.place, timeout=_TIMEOUT_SECONDS
            )
        self.line.find_no_secret(said)
        return code, said.replace(self.fresh.shown_project, _SHOWN_HOME).splitlines()

    def _do(self, text: str, typed: str | None) -> tuple[int, list[str]]:
        return self.in_a_shell(text, typed)

    def _write(self, block: Block) -> None:
        path = self.line.home / block.value
        if block.mark == "append" and not path.exists():
            path.touch()
        super()._write(block)
        self._own(path)

    def _own(self, path: Path) -> None:
        if self.fresh.own:
            os.chown(path, self.fresh.user, self.fresh.user)


def until(terminal: subprocess.Popen[bytes], log: Path, words: str) -> str:
    """Wait until these words stand in the terminal; what it says by then."""
    give_up = time.monotonic() + _TIMEOUT_SECONDS
    while words not in (said := log.read_text("utf-8", "replace")):
        assert terminal.poll() is None, said
        assert time.monotonic() < give_up, said
        time.sleep(0.2)
    return said


def sit_down(machine: FreshMachine, closing: ExitStack) -> Newcomer:
    """A newcomer at a machine on which nothing was done yet but what is installed."""
    machine.forget()
    urls: dict[str, DatabaseUrl] = {}
    line = Typed(machine.project, {}, machine=machine)
    stages = {**STAGES, "the project is installed": lambda _walker, _block: None}
    newcomer = Newcomer(
        line, urls, machine.home, closing, stages, sits_at=machine, urls=urls, checkout=True
    )
    closing.callback(newcomer.leave)
    return newcomer


def the_name_is_short(newcomer: Newcomer) -> None:
    """As the tutorial has it: the directories of the programs are on the PATH."""
    [text] = [
        command.text
        for block in blocks_of(TUTORIAL)
        if block.language == "console"
        for command in block.commands
        if command.text.startswith("export PATH")
    ]
    newcomer.type(text)
