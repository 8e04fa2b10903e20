"""An operator migrates from the Launchpad, in a real browser, and looks at what came of it."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from bounty_ops_tests.fix_command_line import CommandLine

LAUNCHPAD = "/locations/bounty-ops/jobs/development_migrate/playground"
COLLECT = "/locations/bounty-ops/jobs/development_collect/playground"
CHART_WIDTH = 440
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


@pytest.fixture
def ui(bare_command_line: CommandLine) -> Iterator[str]:
    """The address of the user interface of a stack that runs for this test."""
    with bare_command_line.start("up") as stack:
        try:
            yield _announced_address(stack)
        finally:
            stack.send_signal(signal.SIGINT)
            stack.communicate(timeout=60)


def _announced_address(stack: subprocess.Popen[str]) -> str:
    said: list[str] = []
    for stream in filter(None, (stack.stdout,)):
        for line in stream:
            said.append(line)
            if "Dagster UI" in line and (found := re.search(r"http://\S+", line)):
                return found[0]
    pytest.fail(f"the stack ended without telling its address: {''.join(said)}")


def _revision(command_line: CommandLine) -> Any:  # noqa: ANN401 - JSON is anything
    return command_line.run("db", "current", "--json").document["revision"]


def _launch(page: Page) -> None:
    """Press the button and wait until the run that it starts has succeeded."""
    page.get_by_role("button", name="Launch Run").click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}"))
    page.get_by_text("RUN_SUCCESS").wait_for()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_an_operator_sees_the_plan_applies_it_and_finds_the_result(
    ui: str, page: Page, bare_command_line: CommandLine
) -> None:
    page.goto(ui + LAUNCHPAD)
    form = page.locator(".CodeMirror-code").first
    for field in ("apply: ''", "operator: ''", "reason: ''"):
        expect(form).to_contain_text(field)

    _launch(page)
    expect(page.locator("body")).to_contain_text("pending_revisions")
    digest = DIGEST.search(page.inner_text("body"))
    assert digest is not None
    assert _revision(bare_command_line) is None, "a form launched as it stands changes nothing"

    page.goto(ui + LAUNCHPAD)
    form.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f"apply: '{digest[0]}'\noperator: 'Ada'\nreason: ''\n")
    expect(form).to_contain_text(digest[0])
    _launch(page)
    assert _revision(bare_command_line) == "bounty_0001"

    page.goto(ui + "/assets/development/schema_revision")
    metadata = page.locator("tr", has_text="revision")
    expect(metadata.filter(has_text="bounty_0001").first).to_be_visible()

    _look_at_the_charts(page, ui)


def _look_at_the_charts(page: Page, ui: str) -> None:
    """What was measured is drawn, by the browser and not only in the event."""
    page.goto(ui + COLLECT)
    _launch(page)
    page.goto(ui + "/assets/development/table_sizes")
    entry = page.locator("tr", has_text="size_over_time")
    entry.get_by_text("Show Markdown").click()
    chart = page.get_by_alt_text(re.compile("size of the database, the 7 days until"))
    expect(chart.first).to_be_visible()
    assert chart.first.evaluate("image => image.complete && image.naturalWidth") == CHART_WIDTH
