"""The newcomer's walk: every page with commands is done, line by line, on real servers.

``BOUNTY_OPS_WRITE_SCREENS=1`` puts what is really printed into the pages, wherever it differs from
what they show; LAST_ID and LAST_DIGEST in a new command become what was printed before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops_tests.docs.pages import ROOT, blocks_of, own_test, pages
from bounty_ops_tests.docs.runbooks import DIRECTORY
from bounty_ops_tests.docs.walking import Walker, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    Step = str | Callable[[Walker], None]

RUNBOOKS = sorted(str(page.relative_to(ROOT)) for page in DIRECTORY.glob("*.md"))


def people_use_production(walker: Walker) -> None:
    """Between its first migration and the day it breaks."""
    execute(
        walker.databases["production"],
        'INSERT INTO "user" (id, name, email, email_verified) '
        "SELECT 'u' || n, 'User ' || n, n || '@example.com', false FROM generate_series(1, 500) n",
    )
    assert walker.line.run("backup", "run", "-e", "production").code == 0


def production_runs(walker: Walker) -> None:
    """It is at its newest revision, with a proved backup."""
    plan = walker.line.run("db", "plan", "-e", "production", "--json").document
    walker.line.run("db", "migrate", "-e", "production", "--apply", plan["digest"])
    people_use_production(walker)
    walker.line.run("monitor", "collect", "-e", "production")


def drizzle_made_a_database(walker: Walker) -> None:
    """What drizzle-kit push leaves, and then somebody was in a hurry."""
    assert walker.line.run("db", "push", "-e", "legacy", "--apply").code == 0
    execute(walker.databases["legacy"], "ALTER TABLE bounty ADD COLUMN by_hand integer")


WALKS: dict[str, list[Step]] = {
    "a newcomer": [
        "docs/tutorial/first-night.md",
        "docs/how-to/add-an-environment.md",
    ],
    "production": [
        "docs/how-to/migrate-production.md",
        people_use_production,
        "docs/how-to/restore-under-pressure.md",
        "docs/how-to/disaster-recovery.md",
    ],
    "drizzle": [drizzle_made_a_database, "docs/how-to/adopt-drizzle.md"],
    "keys": ["docs/how-to/rotate-keys.md"],
    "runbooks": [production_runs, *RUNBOOKS],
    "reference": [
        production_runs,
        "docs/how-to/object-storage.md",
        "docs/reference/gates.md",
    ],
}
#: The others take long, or are for who is at it already.
QUICK = {"a newcomer", "production"}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else pytest.mark.soak) for name in WALKS],
)
def test_what_the_pages_say_can_be_done(name: str, walker: Walker) -> None:
    for step in WALKS[name]:
        if isinstance(step, str):
            walker.walk(step)
        else:
            step(walker)


def test_every_page_with_commands_is_walked() -> None:
    walked = {step for steps in WALKS.values() for step in steps if isinstance(step, str)}
    with_commands = {
        page
        for page in pages()
        if own_test(page) is None
        and any(block.language == "console" and block.runs for block in blocks_of(page))
    }
    assert with_commands - walked == set()
    assert walked - set(pages()) == set()
