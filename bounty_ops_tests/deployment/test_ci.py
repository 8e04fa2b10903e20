"""examples/ci: valid workflows, with pinned actions, whose commands and options exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import click
import pytest

from bounty_ops.cli.shared import shared_options
from bounty_ops.cli.tree import root
from bounty_ops_tests.deployment.examples import EXAMPLES, ROOT, problems, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES: Final = sorted((EXAMPLES / "ci").glob("*.yml"))
#: Up to what ends a command in a shell.
_OURS: Final = re.compile(r"\bbounty-ops ((?:[^|>;&\n\\]|\\\n)*)")


def steps(file: Path) -> Iterator[dict[str, Any]]:
    for job in read(file)["jobs"].values():
        yield from job["steps"]


def scripts(file: Path) -> list[str]:
    return [step["run"] for step in steps(file) if "run" in step]


def command(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the first words name, and the words that remain."""
    found: click.Command = root
    while isinstance(found, click.Group) and words:
        context = click.Context(found, info_name="bounty-ops")
        inner = found.get_command(context, words[0])
        assert inner is not None, f"there is no command {words[0]!r} in {found.name}"
        found, words = inner, words[1:]
    return found, words


def test_they_are_workflows(tmp_path: Path) -> None:
    assert problems(FILES, "--builtin-schema", "vendor.github-workflows") == []
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(FILES[0].read_text("utf-8").replace("runs-on:", "run-on:"))
    assert problems([wrong], "--builtin-schema", "vendor.github-workflows")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_command_and_option_exists(file: Path) -> None:
    shown = [words for script in scripts(file) for words in _OURS.findall(script)]
    assert shown
    shared = {name for each in shared_options() for name in each.opts}
    for text in shown:
        found, words = command(text.replace("\\\n", " ").split())
        known = shared | {
            name for each in found.params for name in (*each.opts, *each.secondary_opts)
        }
        assert {word for word in words if word.startswith("-")} <= known, text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_make_is_asked_for_exists_and_everything_ends_some_time(file: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    asked = {name for script in scripts(file) for name in re.findall(r"(?m)^make (\w+)", script)}
    assert asked == {"install"}
    assert asked <= targets
    assert all("timeout-minutes" in job for job in read(file)["jobs"].values())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_actions_are_githubs_own_at_a_version(file: Path) -> None:
    used = [step["uses"] for step in steps(file) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"(actions|github)/[a-z/-]+@v\d+", each) for each in used), used


def test_two_migrations_of_one_environment_never_run_at_once() -> None:
    for file in FILES:
        for job in read(file)["jobs"].values():
            applies = any("db migrate" in step.get("run", "") for step in job["steps"])
            concurrency = job.get("concurrency", read(file).get("concurrency"))
            assert not applies or concurrency, file.name
