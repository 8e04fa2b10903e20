"""A real browser for the journeys through the user interfaces, or a word that there is none.

=========== ========= ===============================================
``page``    function  a page of a headless Chromium, with nothing in it
=========== ========= ===============================================
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

_JOURNEYS: Final = ("test_user_interface.py", "test_studio_journey.py")
_PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE_MILLISECONDS: Final = 90_000
#: Root has no sandbox; the rest keeps the browser from calling home, which a closed network
#: answers with a flood of errors.
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _browser() -> str | None:
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave the journeys out where there is no browser."""
    return True if collection_path.name in _JOURNEYS and _browser() is None else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say so."""
    if _browser() is None:
        terminalreporter.write_line(
            "The journeys through the user interfaces were LEFT OUT: there is no Chromium here "
            "(Debian: apt-get install chromium).",
            yellow=True,
        )


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a headless Chromium."""
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_browser(), headless=True, args=list(_FLAGS)
        )
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(_PATIENCE_MILLISECONDS)
        yield page
        browser.close()
