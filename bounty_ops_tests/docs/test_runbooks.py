"""Each alert rule has a page on what to do, and each page a rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from bounty_ops.alerting import Rule
from bounty_ops.alerting.steps import Step
from bounty_ops.alerting.telling import Change
from bounty_ops.alerting.wording import body_of
from bounty_ops.environments import AlertSettings, Policy
from bounty_ops_tests.alerting.situations import NOW
from bounty_ops_tests.docs.pages import ROOT, blocks_of
from bounty_ops_tests.docs.runbooks import DIRECTORY, MARK, SECTIONS, example, head, index, page_of
from bounty_ops_tests.docs.stages import MAKE_SLOT, STAGES, a_slot_that_nobody_reads
from bounty_ops_tests.docs.walking import execute, statements
from bounty_ops_tests.fix_servers import oldest_and_newest_major

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

_REMAKE = "run: python -m bounty_ops_tests.docs.runbooks"
SHORTEST = 40
#: What a message tells people to type.
_COMMAND = re.compile(r"bounty-ops (?:doctor|[a-z]+ [a-z-]+)")


def test_there_is_a_page_for_each_rule_and_no_other() -> None:
    assert {page.stem for page in DIRECTORY.glob("*.md")} == {rule.value for rule in Rule} | {
        "index"
    }
    assert (DIRECTORY / "index.md").read_text(encoding="utf-8") == index(), _REMAKE


@pytest.mark.parametrize("rule", Rule)
def test_a_page_begins_with_what_the_rule_itself_says(rule: Rule) -> None:
    assert page_of(rule).read_text(encoding="utf-8").startswith(head(rule)), _REMAKE


@pytest.mark.parametrize("rule", Rule)
def test_below_stands_what_people_wrote(rule: Rule) -> None:
    below = page_of(rule).read_text(encoding="utf-8").partition(MARK)[2]
    parts = re.split(r"^(## .+)$", below, flags=re.MULTILINE)
    assert tuple(parts[1::2]) == SECTIONS
    assert [
        title for title, text in zip(parts[1::2], parts[2::2], strict=True) if len(text) < 40
    ] == []


@pytest.mark.parametrize("rule", Rule)
def test_a_page_explains_every_command_that_its_message_names(rule: Rule) -> None:
    below = page_of(rule).read_text(encoding="utf-8").partition(MARK)[2]
    assert [name for name in _COMMAND.findall(example(rule).body) if name not in below] == []


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_sql_of_the_pages_runs_on_every_version(
    major: int, pg_server_of: Callable[[int], DatabaseUrl]
) -> None:
    url = pg_server_of(major)
    blocks = [
        block
        for page in sorted(DIRECTORY.glob("*.md"))
        for block in blocks_of(str(page.relative_to(ROOT)))
        if block.language == "sql"
    ]
    assert len(blocks) > 10
    name = f"test_runbooks_{major}"
    execute(url, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    here = url.with_database(name)
    execute(here, "CREATE TABLE bounty (id integer)")
    for block in blocks:
        if "given" in block.marks:
            assert STAGES[block.marks["given"]] is a_slot_that_nobody_reads
            execute(here, MAKE_SLOT)
        execute(here, *statements(block))
    execute(url, f"DROP DATABASE {name}")


@pytest.mark.parametrize("change", [Change.FIRING, Change.REMINDER])
def test_a_message_names_the_page(change: Change) -> None:
    finding = example(Rule.BLOCKING)
    step = Step((Rule.BLOCKING, finding.subject), None, None, finding)
    where = AlertSettings.of("production", Policy()).runbook
    named = page_of(Rule.BLOCKING).relative_to(ROOT)
    assert body_of(change, step, 1, (), NOW, runbook=where).endswith(f"\nAt length: {named}")
    elsewhere = "https://example.com/{rule}.html"
    said = body_of(change, step, 1, (), NOW, runbook=elsewhere)
    assert said.endswith("https://example.com/blocking.html")
    assert "At length" not in body_of(change, step, 1, (), NOW)
    with pytest.raises(ValidationError, match="runbook"):
        AlertSettings.of("production", Policy(), {"runbook": "https://example.com/"})
