"""Every command and option that a page, an example or a text of the program names exists."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Final

import pytest

from bounty_ops_tests.docs.mentions import (
    PROGRAM,
    wrong_in_page,
    wrong_in_program,
    wrong_in_shell,
    wrong_in_text,
)
from bounty_ops_tests.docs.pages import ROOT, Block, blocks_of, pages, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What looks like one of ours and is something else, and what.
NO_COMMANDS: Final = {
    "bounty-ops migrate": "how its connections call themselves",
    "bounty-ops migrate (watcher)": "the same",
    "bounty-ops seed": "the same",
    "bounty-ops backup role": "a check of doctor",
    "-- bounty-ops: acknowledge RULE: reason": "a comment in SQL",
    "--> statement-breakpoint": "Drizzle's comment in SQL",
    "--16:": "a comment in SQL",
    "--<16": "a comment in SQL",
    "--force": "what there is not, and why",
    "--require-hashes": "pip",
    "--no-deps": "pip",
    "--fail-on-warning": "Sphinx",
    "--build-arg": "Docker",
    "--shm-size": "Docker",
    "--endpoint-url": "aws",
    "--section": "pg_restore",
    "--statistics": "pg_dump",
    "--identity": "recover.py",
    "--create": "recover.py",
    "--soak": "pytest",
    "--link": "the benchmarks",
    "--map-to": "unshare, as `become` stands in for it",
    "--switch-to": "setpriv, likewise",
    "--death-signal": "setpriv, likewise",
}
EXAMPLES: Final = ("*.yml", "*.yaml", "*.sh", "*.service", "*.conf", "*.md")


def remaining(found: Iterable[str]) -> list[str]:
    """What was found, but for what is no command of ours."""

    def named(wrong: str) -> set[str]:
        said = wrong[1:].partition(wrong[0])[0]
        return {said, said.split()[0].split("=")[0]}

    return [wrong for wrong in found if not named(wrong) & NO_COMMANDS.keys()]


def test_every_command_that_a_page_names_exists() -> None:
    wrong = {page: remaining(wrong_in_page(text_of(page))) for page in pages()}
    assert {page: found for page, found in wrong.items() if found} == {}


def test_every_command_that_a_hint_or_a_remedy_names_exists() -> None:
    sources = {str(each.relative_to(ROOT)): each for each in ROOT.glob("bounty_ops/**/*.py")}
    wrong = {name: remaining(wrong_in_program(each.read_text())) for name, each in sources.items()}
    assert len(sources) > 100
    assert {name: found for name, found in wrong.items() if found} == {}


def test_every_command_of_an_example_exists() -> None:
    files = [file for form in EXAMPLES for file in ROOT.glob(f"examples/**/{form}")]
    wrong = {}
    for file in files:
        text = file.read_text(encoding="utf-8").replace("\\\n", " ")
        typed = re.findall(rf"^\s*(?:- )?(?:run: )?({PROGRAM} [^\n]*)", text, re.MULTILINE)
        found = [each for line in typed for each in wrong_in_shell(line)]
        found += wrong_in_text(text if file.suffix == ".md" else text.replace("`", " "))
        wrong[str(file.relative_to(ROOT))] = remaining(found)
    assert len(files) > 10
    assert {file: found for file, found in wrong.items() if found} == {}


def test_every_module_and_target_that_is_named_exists() -> None:
    texts = [*map(text_of, pages()), *(each.read_text() for each in ROOT.glob("examples/**/*.yml"))]
    whole = "\n".join(texts)
    modules = {name.rstrip(".") for name in re.findall(r"python3? -m ([\w.]+)", whole)}
    targets = set(re.findall(r"(?:`|^\$ |^)make ([a-z]+)(?: [A-Z]+=|`|$)", whole, re.MULTILINE))
    there = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert len(modules) > 3
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []
    assert targets <= there


@pytest.mark.parametrize(
    "page",
    [
        "```console\n$ bounty-ops db migrat\n```\n",
        "```console\n$ bounty-ops db migrate --aply DIGEST\n```\n",
        "```console\n$ FOO=1 bounty-ops backup show ID MORE && true\n```\n",
        "```\nbounty-ops db migrate --apply\n```\n",
        "Say `bounty-ops monitor findings`.",
        "Say `monitor\nfindings`.",
        "Say bounty-ops backup run --never, then wait.",
        "Give `--aply` as well.",
        "```console\n$ bounty-ops up\nNow: bounty-ops db migrat.\n```\n",
        "```console\n$ psql \"$(bounty-ops db url --show-pasword)\" --command 'SELECT 1'\n```\n",
    ],
)
def test_a_command_that_does_not_exist_is_found(page: str) -> None:
    assert list(wrong_in_page(page))


@pytest.mark.parametrize(
    "source",
    [
        "hint = 'Look again: bounty-ops db look'",
        "hint = f'Look again: bounty-ops db look -e {name}'",
        "hint = f'Again: bounty-ops db migrate --applied{more}'",
        'def f():\n    """See `backup lst`."""',
    ],
)
def test_a_text_of_the_program_that_misleads_is_found(source: str) -> None:
    assert list(wrong_in_program(source))


def test_what_is_right_is_left_alone() -> None:
    page = (
        "```console\n"
        "$ (umask 077; bounty-ops db url > url)  # bounty-ops itself\n"
        "$ bounty-ops db \\\n  migrate -e production \\\n  --apply DIGEST | head\n"
        "```\n"
        "`bounty-ops db lint [FILE]... [--jsn]`, `db migrate --apply=DIGEST`: bounty-ops backs\n"
        "up. Say bounty-ops alerts list or wait.\n"
    )
    source = "f'{a}: bounty-ops db push -e {b} --apply{c}, or see `backup show {d}`'"
    assert [*wrong_in_page(page), *wrong_in_program(source)] == []


def test_a_test_that_shows_a_block_runs_its_commands() -> None:
    shown = [block for page in pages() for block in blocks_of(page) if block.mark == "shown by"]
    assert [f"{block.place}: {name}" for block in shown for name in missing(block)] == []


def missing(block: Block) -> list[str]:
    """The commands of a block that the test which it names does not have."""
    text = " ".join((ROOT / block.value).read_text(encoding="utf-8").split())
    if block.language != "console" or "blocks_of" in text:
        return []  # SQL, or a test that takes its commands from the page
    typed = " ".join(command.text for command in block.commands)
    names = re.findall(rf"{PROGRAM} ([a-z]+(?: [a-z][a-z-]+)?)|(?<= )(--[a-z-]+)", typed)
    return [
        name
        for name in map("".join, names)
        if not re.search(r'",? "'.join(map(re.escape, name.split())), text) and name not in text
    ]
