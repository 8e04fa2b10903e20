"""An operator looks into a database in a real browser: browse, filter, follow, edit, ask, draw."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from bounty_ops.journal.edits import read_edits
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.studio.conftest import execute

if TYPE_CHECKING:
    import subprocess

    from playwright.sync_api import Page

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops_tests.fix_command_line import CommandLine


@pytest.mark.long
def test_an_operator_browses_edits_asks_and_draws(
    filled: DatabaseUrl, command_line: CommandLine, s3_prefix: ObjectStoreSettings, page: Page
) -> None:
    execute(
        filled, "CREATE TABLE odd (id text PRIMARY KEY); INSERT INTO odd VALUES ('a,b#'), ('a')"
    )
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    foreign: list[str] = []
    line = command_line.with_variables(DATABASE_URL=filled.text())
    with line.start("studio", "--port", "0") as studio:
        try:
            address = _announced(studio)
            origin = address.partition("/enter")[0]
            page.on(
                "request",
                lambda asked: (
                    None if asked.url.startswith((origin, "data:")) else foreign.append(asked.url)
                ),
            )
            page.goto(address)
            _walk(page)
            page.goto(page.url.partition("?")[0].replace("/bounty_vote/list", "/odd/list"))
            _remove_the_odd_one(page, origin)
        finally:
            studio.send_signal(signal.SIGINT)
            ended = studio.wait(60)
    assert ended == 0
    # The refused query is answered as one.
    unexpected = [one for one in complaints if "400 (Bad Request)" not in one]
    assert unexpected == [], "no style or script is blocked, nothing is missing"
    assert foreign == [], "nothing comes from elsewhere"
    assert execute(filled, "SELECT name FROM \"user\" WHERE id = 'u2'") == [("Grace Hopper",)]
    assert execute(filled, "TABLE odd") == [("a",)]
    record, removal = read_edits(ObjectStore(s3_prefix), "development")
    assert (record.table, record.key, record.columns) == ("public.user", {"id": "u2"}, ("name",))
    assert (removal.operation, removal.key) == ("delete", {"id": "a,b#"})


def _remove_the_odd_one(page: Page, origin: str) -> None:
    """A row whose key looks like several, with the button that removes chosen rows."""
    _hurry(page)
    for title in ("Cancel", "Delete"):
        box = page.locator("tbody tr", has_text="a,b#").locator(".select-box")
        box.check()
        page.get_by_role("button", name="Actions").click()
        page.get_by_role("link", name="Delete selected items").click()
        expect(page.locator("#modal-delete-text")).to_contain_text("delete odd a,b#?")
        page.locator("#modal-delete").get_by_text(title, exact=True).click()
        expect(page.locator("#modal-delete")).not_to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert page.url.startswith(origin)


def _hurry(page: Page) -> None:
    """Click before the window could say what will be deleted, after it was open for another row."""
    orders: list[str] = []
    page.on("request", lambda asked: orders.append(asked.url) if asked.method == "DELETE" else None)
    trash = page.locator("tbody tr a[data-bs-target='#modal-delete']")
    trash.first.click()
    _cancel(page)
    trash.last.evaluate(
        "row => { row.click(); document.querySelector('#modal-delete-button').click(); }"
    )
    _cancel(page)
    expect(page.locator("tbody tr")).to_have_count(2)
    assert orders == []


def _cancel(page: Page) -> None:
    # It says so once it is there; before that, it takes no cancelling.
    expect(page.locator("#modal-delete-text")).to_contain_text("permanently delete odd")
    page.locator("#modal-delete").get_by_text("Cancel", exact=True).click()
    expect(page.locator("#modal-delete")).not_to_be_visible()


def _announced(studio: subprocess.Popen[str]) -> str:
    assert studio.stdout is not None
    for line in studio.stdout:
        if found := re.search(r"Open (http://127\.0\.0\.1:\d+/enter\?token=\S+)", line):
            return found[1]
    raise AssertionError("the studio ended without telling its address")


def _walk(page: Page) -> None:
    expect(page.get_by_role("status")).to_contain_text("every edit is recorded")
    page.locator("td:first-child").get_by_role("link", name="bounty", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(50)

    page.locator("#filter-sidebar").get_by_role("link", name="open", exact=True).click()
    expect(page.get_by_text("of 40 items")).to_be_visible()
    page.locator("#search-input").fill("Bounty 15")
    page.locator("#search-button").click()
    expect(page.locator("tbody tr")).to_have_count(1)

    page.get_by_role("link", name="u2", exact=True).click()
    expect(page.get_by_text("2@example.com")).to_be_visible()
    page.locator("a[href*='/user/details/u2']").click()
    expect(page.get_by_role("link", name="bounty.created_by_id")).to_be_visible()

    page.get_by_role("link", name="Edit", exact=True).click()
    page.locator("#name").fill("Grace Hopper")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Grace Hopper")).to_be_visible()

    page.get_by_role("link", name="Query").click()
    page.locator("#sql").fill("SELECT status, count(*) FROM bounty GROUP BY 1 ORDER BY 2")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".studio-result tbody tr")).to_have_count(2)
    expect(page.get_by_role("cell", name="40", exact=True)).to_be_visible()
    page.locator("#sql").fill("COMMIT; DELETE FROM bounty")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("alert")).to_contain_text("there are 2 statements")

    page.locator("#sql").fill("SELECT id, access_token FROM account ORDER BY id")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("cell", name="(hidden)", exact=True)).to_have_count(2)

    page.get_by_role("link", name="Diagram").click()
    page.locator("#table-bounty_vote").hover()
    expect(page.locator(".edge.lit")).to_have_count(2)
    expect(page.locator(".table-box.near")).to_have_count(3)
    page.locator("#table-bounty_vote a").click()
    expect(page.locator("g[id^=table-]")).to_have_count(3)

    page.get_by_role("link", name="its rows").click()
    expect(page.get_by_text("No row fits")).to_be_visible()
