"""Every command that the pages for people show is one that works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bounty_ops

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine

ROOT = Path(bounty_ops.__file__).parents[1]
PAGES = sorted(page.relative_to(ROOT) for page in (ROOT / "README.md", *ROOT.glob("docs/**/*.md")))
PROGRAM = ".venv/bin/bounty-ops "
#: Exit codes that are an answer. `doctor` and `db migrate` have something to say of a new database.
ANSWERS = {0, 1}


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_the_readme_shows_commands_of_both_kinds() -> None:
    shown = commands(Path("README.md"))
    assert {"make demo", "make up"} <= set(shown)
    assert any(line.startswith(PROGRAM + "backup run") for line in shown)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_make_target_that_is_shown_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = {line.split("#")[0].split()[1] for line in commands(page) if line.startswith("make ")}
    assert shown <= targets


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", (ROOT / page).read_text("utf-8"))
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []


@pytest.mark.long
def test_the_commands_of_the_readme_do_what_they_say(command_line: CommandLine) -> None:
    variables = dict(command_line.variables)
    url = variables.pop("DATABASE_URL")
    home = command_line.home
    (home / ".env.development").write_text(f"DATABASE_URL={url}\n")
    (home / ".env.production").write_text(f"DATABASE_URL={url}\n")
    # The test server speaks no TLS; a production environment would be refused for it.
    (home / "bounty_ops.toml").write_text("[environments.production]\nrequire_tls = false\n")
    shell = command_line.with_variables(DATABASE_URL="")
    assert shell.run("db", "migrate", "-e", "development").code == 0
    lines = [line for line in commands(Path("README.md")) if line.startswith(PROGRAM)]
    codes = {}
    for line in lines:
        outcome = shell.run(*shlex.split(line.removeprefix(PROGRAM)))
        codes[line] = outcome.code
        assert outcome.code in ANSWERS, f"{line}: {outcome.stderr}"
    assert codes[PROGRAM + "db current -e production"] == 0
    assert codes[PROGRAM + "backup list -e production"] == 0
