"""The newcomer's walk: every page with commands is done, line by line, on real servers.

``BOUNTY_OPS_WRITE_SCREENS=1`` puts what is really printed into the pages, wherever it differs from
what they show; LAST_ID and LAST_DIGEST in a new command become what was printed before it.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import load_settings
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.alerting.conftest import Webhook
from bounty_ops_tests.docs.machine import can_serve, possible
from bounty_ops_tests.docs.pages import ROOT, blocks_of, own_test, pages
from bounty_ops_tests.docs.runbooks import DIRECTORY
from bounty_ops_tests.docs.stages import embedded_servers_have_run_here, shared_variables
from bounty_ops_tests.docs.walking import Walker, execute
from bounty_ops_tests.fix_backups import value

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


def production_is_made(walker: Walker) -> None:
    """It is at its newest revision."""
    plan = walker.line.run("db", "plan", "-e", "production", "--json").document
    walker.line.run("db", "migrate", "-e", "production", "--apply", plan["digest"])


def production_runs(walker: Walker) -> None:
    """It is at its newest revision, with a proved backup."""
    production_is_made(walker)
    people_use_production(walker)
    walker.line.run("monitor", "collect", "-e", "production")


def drizzle_made_a_database(walker: Walker) -> None:
    """What drizzle-kit push leaves, and then somebody was in a hurry."""
    assert walker.line.run("db", "push", "-e", "legacy", "--apply").code == 0
    execute(walker.databases["legacy"], "ALTER TABLE bounty ADD COLUMN by_hand integer")


def keys_lie_in_a_file(walker: Walker) -> None:
    """Of an encryption that was in use before."""
    with (walker.line.home / ".env").open("a", encoding="utf-8") as file:
        file.write("BACKUP_AGE_IDENTITY_FILE=age-keys.txt\n")


def a_second_bucket_and_a_channel(walker: Walker) -> None:
    """A bucket of the same store, and a server that takes whatever comes."""
    said = shared_variables(walker)
    listening = walker.closing.enter_context(closing(Webhook()))
    more = {
        "BACKUP_COPY_BUCKET": f"s3://copies-of-walks/{said['BACKUP_BUCKET'].rpartition('/')[2]}",
        "BACKUP_COPY_ENDPOINT_URL": said["AWS_ENDPOINT_URL_S3"],
        "BACKUP_COPY_REGION": said["AWS_REGION"],
        "BACKUP_COPY_ACCESS_KEY_ID": said["AWS_ACCESS_KEY_ID"],
        "BACKUP_COPY_SECRET_ACCESS_KEY": said["AWS_SECRET_ACCESS_KEY"],
        "ALERT_URL": listening.url,
    }
    with (walker.line.home / ".env").open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in more.items())
    copies = load_settings(walker.line.home, {}).require_copy_object_store()
    ObjectStore(copies).create_bucket_if_missing()


def a_project_of_ones_own(walker: Walker) -> None:
    """The page changes models, and migrations are written."""
    walker.check_out()


def everybody_is_there_again(walker: Walker) -> None:
    """What was put together by hand from shards has all of its rows."""
    by_hand = replace(walker.databases["production"], database="bounty_by_hand")
    assert value(by_hand, 'SELECT count(*) FROM "user"') == 500


WALKS: dict[str, list[Step]] = {
    "a newcomer": [
        "docs/tutorial/first-night.md",
        "docs/how-to/add-an-environment.md",
    ],
    "migrations": [a_project_of_ones_own, "docs/how-to/migrate-production.md"],
    "production": [
        production_is_made,
        people_use_production,
        "docs/how-to/restore-under-pressure.md",
        "docs/how-to/disaster-recovery.md",
        everybody_is_there_again,
    ],
    "embedded": ["docs/reference/embedded.md", embedded_servers_have_run_here],
    "drizzle": [drizzle_made_a_database, "docs/how-to/adopt-drizzle.md"],
    "keys": [
        production_runs,
        keys_lie_in_a_file,
        a_second_bucket_and_a_channel,
        "docs/how-to/rotate-keys.md",
    ],
    "restores": [production_runs, "docs/how-to/restore.md"],
    "runbooks": [production_runs, a_second_bucket_and_a_channel, *RUNBOOKS],
    "reference": [
        production_runs,
        "docs/how-to/object-storage.md",
        "docs/reference/gates.md",
        "docs/reference/history.md",
    ],
}


#: Pages that write below /etc or name hosts: with a machine of their own, where there can be one.
ON_A_MACHINE: dict[str, list[Step]] = {
    "own server": ["docs/how-to/connect-own-server.md"],
    "neon": ["docs/how-to/connect-neon.md"],
    "supabase": ["docs/how-to/connect-supabase.md"],
    "railway": ["docs/how-to/connect-railway.md"],
}
SERVED: dict[str, list[Step]] = {"login": ["docs/how-to/protect-the-ui.md"]}
EVERYWHERE = WALKS | ON_A_MACHINE | SERVED
#: fix_pages.py says which are not.
POSSIBLE = WALKS | (ON_A_MACHINE if possible() else {}) | (SERVED if can_serve() else {})


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", POSSIBLE)
def test_what_the_pages_say_can_be_done(name: str, walker: Walker) -> None:
    for step in POSSIBLE[name]:
        if isinstance(step, str):
            walker.walk(step)
        else:
            step(walker)


def test_every_page_with_commands_is_walked() -> None:
    walked = {step for steps in EVERYWHERE.values() for step in steps if isinstance(step, str)}
    with_commands = {
        page
        for page in pages()
        if own_test(page) is None
        and any(block.language == "console" and block.runs for block in blocks_of(page))
    }
    assert with_commands - walked == set()
    assert walked - set(pages()) == set()
