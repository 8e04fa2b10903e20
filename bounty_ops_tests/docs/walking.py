"""Doing what a page says, in a directory of its own against real servers."""

from __future__ import annotations

import base64
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from bounty_ops_tests.docs.pages import ROOT, Block, Command, blocks_of
from bounty_ops_tests.docs.shapes import NAMES, difference, names
from bounty_ops_tests.docs.terminal import answered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.docs.machine import Machine
    from bounty_ops_tests.fix_command_line import CommandLine

    Stage = Callable[["Walker", Block], None]

_PROGRAMS: Final = (".venv/bin/bounty-ops", "bounty-ops")
#: What makes a line one for a shell.
_SHELL: Final = re.compile(r"[|&;<>$`*(){}]|^\w+=")
_TIMEOUT_SECONDS: Final = 120
_WIDTH: Final = "100"
#: Where pages say that the project is.
_SHOWN_HOME: Final = "/srv/bounty-ops"
_PROMPT: Final = "$ "


@dataclass
class Walker:
    """Goes from page to page; what one page did is there for the next."""

    line: CommandLine
    databases: Mapping[str, DatabaseUrl]
    """Of the environments; SQL of the pages is executed in production."""
    programs: Path
    """PostgreSQL's."""
    closing: ExitStack
    """What ends with the walk."""
    stages: Mapping[str, Stage] = field(default_factory=dict)
    """What makes true what a block is given, by its words."""
    machine: Machine | None = None
    """Where commands run, if not simply here."""
    checkout: bool = False
    """Whether the directory is one in which models and migrations can be changed."""
    learnt: dict[str, str] = field(default_factory=dict)
    stands_for: dict[str, str] = field(default_factory=dict)
    """Placeholders of the pages, and what is meant in this walk."""
    typed: str = ""
    """What was last typed at a terminal."""
    printed: list[str] = field(default_factory=list)
    writes: bool = bool(os.environ.get("BOUNTY_OPS_WRITE_SCREENS"))
    """Put what was really printed into the page, instead of comparing: for who writes pages."""

    def check_out(self) -> None:
        """Make the directory one of a checkout, of which models and migrations are its own."""
        _copied(ROOT / "migrations", self.line.home / "migrations", deep=("bounty",))
        _copied(ROOT / "bounty_ops", self.line.home / "bounty_ops", deep=("schema", "bounty"))
        self.checkout = True

    def walk(self, page: str) -> None:
        """Do everything that the page says, in its order."""
        for block in blocks_of(page):
            if not is_missing(block):
                self.act(block)

    def act(self, block: Block) -> None:
        """Do what one block says, after what it is given was made true."""
        if "given" in block.marks:
            self.stages[block.marks["given"]](self, block)
        if block.mark in {"file", "append"}:
            self._write(block)
        elif block.mark == "change":
            self._change(block)
        elif block.runs and block.language == "sql":
            self._execute(block)
        elif block.runs:
            self._run(block)

    def _write(self, block: Block) -> None:
        path = self.line.home / block.value
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if block.mark == "append" else ""
        path.write_text(before + self._translated(block.text), encoding="utf-8")

    def _change(self, block: Block) -> None:
        """Do to a file what a diff says, wherever in it the lines are."""
        lines = block.text.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if not line.startswith("+"))
        after = "".join(line[1:] for line in lines if not line.startswith("-"))
        path = self.line.home / block.value
        whole = path.read_text(encoding="utf-8")
        assert whole.count(before) == 1, f"{block.place}: not, or not once, in {block.value}"
        path.write_text(whole.replace(before, after), encoding="utf-8")

    def _execute(self, block: Block) -> None:
        try:
            execute(self.databases["production"], *statements(block))
        except psycopg.Error as error:
            pytest.fail(f"{block.place}: {error}")

    def _run(self, block: Block) -> None:
        commands = block.commands
        self.typed = block.marks.get("typed", self.typed)
        last = set(map(int, block.value.split(" or "))) if block.mark == "exit" else {0}
        for number, command in enumerate(commands, start=1):
            wanted = last if number == len(commands) else {0}
            if self.writes:
                self._fill_in(block, command)
            code, printed = self._do(self._translated(command.text), block.marks.get("typed"))
            self.printed += printed
            said = "\n".join(printed)
            assert code in wanted, f"{block.place}: {command.text}: exit code {code}\n{said}"
            self._compare(block, command, printed)

    def _compare(self, block: Block, command: Command, printed: list[str]) -> None:
        if not command.output:
            return
        wrong = difference(command.output, printed)
        if wrong is not None and self.writes:
            self._rewrite(block, command, printed)
            return
        said = "\n".join(printed)
        assert wrong is None, f"{block.place}: {command.text}: {wrong}\nAll of it:\n{said}"
        self.learnt |= names(command.output, printed)

    def _fill_in(self, block: Block, command: Command) -> None:
        """LAST_ID and LAST_DIGEST in a page that is being written are what was printed last."""
        forms = {"LAST_ID": r"\d{8}T\d{6}Z-[0-9a-f]{8}", "LAST_DIGEST": "[0-9a-f]{64}"}
        for word, form in forms.items():
            if word in command.text:
                last = re.findall(form, "\n".join(self.printed))[-1]
                page = ROOT / block.page
                whole = page.read_text(encoding="utf-8").replace(word, last, 1)
                page.write_text(whole, encoding="utf-8")
                command.text = command.text.replace(word, last)

    def _rewrite(self, block: Block, command: Command, printed: list[str]) -> None:
        text = "\n".join(line.rstrip() for line in printed)
        for shown, real in self.learnt.items():
            text = text.replace(real, shown)
        before = f"{_PROMPT}{command.text}\n" + "".join(f"{line}\n" for line in command.output)
        page = ROOT / block.page
        whole = page.read_text(encoding="utf-8")
        assert before in whole, f"{block.place}: {command.text}: cannot be rewritten"
        after = whole.replace(before, f"{_PROMPT}{command.text}\n{text.strip()}\n", 1)
        shown_names = NAMES.findall("\n".join(command.output))
        for shown, new in zip(shown_names, NAMES.findall(text), strict=False):
            after = after.replace(shown, new)
        page.write_text(after, encoding="utf-8")

    def _translated(self, text: str) -> str:
        for shown, real in self.stands_for.items():
            text = text.replace(shown, real)
        for shown, real in self.learnt.items():
            text = text.replace(shown, real)
            text = re.sub(rf"(?<![0-9a-zA-Z-]){shown[:8]}(?![0-9a-zA-Z-])", real, text)
        return text

    def _do(self, text: str, typed: str | None) -> tuple[int, list[str]]:
        words = shlex.split(text, comments=True)
        if words[0] == "export":
            return self._export(text, [word.partition("=")[0] for word in words[1:]])
        here = not self.checkout and self.machine is None and typed is None
        if words[0] in _PROGRAMS and here and not _SHELL.search(text):
            done = self.line.with_variables(COLUMNS=_WIDTH).run(*words[1:])
            return done.code, (done.stdout + done.stderr).splitlines()
        return self.in_a_shell(text, typed)

    def _export(self, text: str, names: list[str]) -> tuple[int, list[str]]:
        values = "".join(f"; echo; printf %s ${name} | base64 --wrap=0" for name in names)
        code, printed = self.in_a_shell(text + values)
        decoded = [base64.b64decode(line).decode() for line in printed[1:]]
        self.export(dict(zip(names, decoded, strict=True)))
        return code, []

    def export(self, variables: Mapping[str, str]) -> None:
        """Set variables for all that follows."""
        self.line = replace(self.line, variables={**self.line.variables, **variables})

    def _tools(self) -> Path:
        tools = self.line.home.parent / "tools"
        tools.mkdir(exist_ok=True)
        for name, script in _TOOLS.items():
            program = tools / name
            program.write_text(f"#!/bin/sh\n{script.format(python=sys.executable)}\n")
            program.chmod(0o700)
        return tools

    def in_a_shell(self, text: str, typed: str | None = None) -> tuple[int, list[str]]:
        """The exit code of a line of shell, and all that it printed."""
        own = f"{self._tools()}:{self.programs}:{os.environ['PATH']}"
        path = self.line.variables.get("PATH", own)
        environ = {**self.line.environ(), "PATH": path, "COLUMNS": _WIDTH}
        text = text.replace(".venv/bin/bounty-ops", "bounty-ops")
        argv = ["/bin/bash", "-euo", "pipefail", "-c", text]
        argv = [*(self.machine.enter if self.machine else ()), *argv]
        if typed is not None:
            code, said = answered(
                argv, typed, env=environ, cwd=self.line.home, timeout=_TIMEOUT_SECONDS
            )
        else:
            done = subprocess.run(
                argv, env=environ, cwd=self.line.home, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=_TIMEOUT_SECONDS, check=False,
            )  # fmt: skip
            code, said = done.returncode, done.stdout
        self.line.find_no_secret(said)
        return code, said.replace(str(self.line.home), _SHOWN_HOME).splitlines()


def is_missing(block: Block) -> bool:
    """Whether it needs a program that is not here."""
    needed = block.marks.get("needs")
    return needed is not None and shutil.which(needed) is None


def _copied(source: Path, copy: Path, *, deep: tuple[str, ...]) -> None:
    """A directory of links, but for what lies along the way ``deep``, which is copied."""
    if not deep:
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        return
    copy.mkdir()
    for each in source.iterdir():
        if each.name == deep[0]:
            _copied(each, copy / each.name, deep=deep[1:])
        elif each.name != "__pycache__":
            (copy / each.name).symlink_to(each)


#: What a shell finds; age-keygen is stood in for, as not every machine has it.
_TOOLS: Final = {
    "bounty-ops": 'exec {python} -m bounty_ops "$@"',
    "age-keygen": "exec {python} -c '"
    "import sys, pyrage; made = pyrage.x25519.Identity.generate();"
    ' open(sys.argv[2], "w").write(f"{{made}}\\n");'
    """ print("Public key:", made.to_public())' "$@\"""",
}


def statements(block: Block) -> list[str]:
    """The statements of a block of SQL."""
    found = re.split(r";[ ]*\n", re.sub(r"--[^\n]*", "", block.text))
    return [each for each in found if each.strip()]


def execute(url: DatabaseUrl, *statements: str) -> None:
    """Execute statements, each as a transaction of its own."""
    with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # libpq's words
        for statement in statements:
            connection.execute(statement.encode())
