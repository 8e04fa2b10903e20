"""The newcomer's walk where there is nothing but a clone: no variable, package or server of ours.

The machine is installed by the README's own command, the servers are those that the tutorial
starts, and what the pages show beneath a command is still what it prints. What a fresh machine
cannot have, an account at a provider or a cluster, is left to the tests that ``ELSEWHERE`` names.

``BOUNTY_OPS_FRESH_MACHINE=DIRECTORY`` keeps the machine for the next run: no second installation.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest

from bounty_ops_tests.docs.fresh_machine import fresh_machine, interrupt, none_left
from bounty_ops_tests.docs.newcomer import TUTORIAL, Newcomer, sit_down, the_name_is_short, until
from bounty_ops_tests.docs.pages import ROOT, blocks_of, pages
from bounty_ops_tests.docs.test_walks import (
    a_second_bucket_and_a_channel,
    drizzle_made_a_database,
    keys_lie_in_a_file,
    people_use_production,
    production_is_made,
    production_runs,
)
from bounty_ops_tests.schema.test_how_to import two_people_and_three_bounties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops_tests.docs.fresh_machine import FreshMachine

    Step = str | Callable[[Newcomer], None]

README: Final = "README.md"
#: The servers of a test are reached without TLS, as those of `up` are.
_POLICY: Final = "[environments.production]\nrequire_tls = false\n"
#: How-tos that take more than a machine, and where they are carried out.
ELSEWHERE: Final = {
    "connect-neon": "bounty_ops_tests/docs/test_walks.py",
    "connect-own-server": "bounty_ops_tests/docs/test_walks.py",
    "connect-railway": "bounty_ops_tests/docs/test_walks.py",
    "connect-supabase": "bounty_ops_tests/docs/test_walks.py",
    "deploy-compose": "bounty_ops_tests/deployment/test_compose.py",
    "deploy-kubernetes": "bounty_ops_tests/deployment/test_helm.py",
    "deploy-systemd": "bounty_ops_tests/deployment/test_systemd.py",
    "protect-the-ui": "bounty_ops_tests/docs/test_walks.py",
    "run-under-dagster": "bounty_ops_tests/deployment/test_services.py",
}
_INTERRUPTED: Final = 130


def servers(newcomer: Newcomer) -> None:
    """The second section of the tutorial, without Dagster."""
    newcomer.up()
    the_name_is_short(newcomer)


def environments(newcomer: Newcomer) -> None:
    """Files with the addresses of empty databases, and of two that are yet to be made."""
    servers(newcomer)
    there = ("development", "staging", "production", "legacy")
    newcomer.make_room(*there, unmade=("rescue", "recovered"))
    production = newcomer.urls["production"]
    for name, url in newcomer.urls.items():
        newcomer.write(f".env.{name}", f"DATABASE_URL={url.text()}\n")
    newcomer.write("bounty_ops.toml", _POLICY)
    newcomer.export(
        {
            "NEW_SERVER": f"postgresql://{production.user}@{production.host}:{production.port}",
            "PGPASSWORD": production.password or "",
        }
    )


def a_server_for_staging(newcomer: Newcomer) -> None:
    """Beside the environment that the tutorial has left."""
    servers(newcomer)
    newcomer.make_room("staging")
    newcomer.write(".env.staging", "")


def a_bucket_that_is_named(newcomer: Newcomer) -> None:
    """Somebody who rotates keys, or has lost everything, has set them: here those of `up`."""
    newcomer.write(".env", newcomer.bucket())


def what_the_readme_shows_first(newcomer: Newcomer) -> None:
    """Nothing runs: the first command that needs a server starts it, and it ends with it."""
    [_, _, first, *_] = [each for each in blocks_of(README) if each.language == "console"]
    for command in first.commands:
        newcomer.type(command.text)
        assert none_left(newcomer.fresh) == []


def what_the_readme_shows_then(newcomer: Newcomer) -> None:
    """Of an environment that was just set up, a command may have something to say."""
    newcomer.up()
    newcomer.make_room("production")
    address = newcomer.urls["production"].text()
    newcomer.write(".env.production", f"DATABASE_URL={address}\n")
    newcomer.write("bounty_ops.toml", _POLICY)
    [_, _, _, *rest] = [each for each in blocks_of(README) if each.language == "console"]
    for command in [each for block in rest for each in block.commands]:
        code, said = newcomer.in_a_shell(command.text)
        assert code in {0, 1}, f"{command.text}: exit code {code}\n" + "\n".join(said)


def somebody_looks_at_a_database(newcomer: Newcomer) -> None:
    """Each way to start the studio that the page shows, until Ctrl-C."""
    environments(newcomer)
    commands = [each for block in blocks_of("docs/how-to/studio.md") for each in block.commands]
    shown = [each.text for each in commands if each.text.startswith("bounty-ops studio")]
    assert shown
    for text in shown:
        log = newcomer.fresh.place / "studio.log"
        terminal = newcomer.fresh.start(f"exec .venv/bin/{text}", log)
        until(terminal, log, "http://127.0.0.1:")
        assert interrupt(terminal) == 0, log.read_text("utf-8")


def a_service_of_ones_own(newcomer: Newcomer) -> None:
    """The databases that its examples read and fill."""
    environments(newcomer)
    two_people_and_three_bounties(newcomer.urls["development"])
    newcomer.export(
        {
            "DATABASE_URL": newcomer.urls["development"].text(),
            "TEST_DATABASE_URL": newcomer.urls["legacy"].text(),
        }
    )


WALKS: Final[dict[str, list[Step]]] = {
    "readme": [what_the_readme_shows_first, what_the_readme_shows_then],
    "tutorial": [TUTORIAL],
    "add-an-environment": [a_server_for_staging, "docs/how-to/add-an-environment.md"],
    "adopt-drizzle": [environments, drizzle_made_a_database, "docs/how-to/adopt-drizzle.md"],
    "disaster-recovery": [
        environments,
        a_bucket_that_is_named,
        production_is_made,
        people_use_production,
        "docs/how-to/restore-under-pressure.md",
        "docs/how-to/disaster-recovery.md",
    ],
    "migrate-production": [environments, "docs/how-to/migrate-production.md"],
    "object-storage": [servers, "docs/how-to/object-storage.md"],
    "restore": [environments, production_runs, "docs/how-to/restore.md"],
    "rotate-keys": [
        environments,
        a_bucket_that_is_named,
        production_runs,
        keys_lie_in_a_file,
        a_second_bucket_and_a_channel,
        "docs/how-to/rotate-keys.md",
    ],
    "studio": [somebody_looks_at_a_database],
    "use-the-schema": [a_service_of_ones_own, "docs/how-to/use-the-schema.md"],
}


@pytest.fixture(scope="module")
def machine() -> Iterator[FreshMachine]:
    """A clone, and what the README's first command installs."""
    with fresh_machine() as found:
        if not (found.project / ".venv" / ".installed").exists():
            [first, *_] = [each for each in blocks_of(README) if each.language == "console"]
            done = found.run(first.commands[0].text, 900)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "proved" in done.stdout
            assert none_left(found) == []
        yield found


@pytest.fixture
def newcomer(machine: FreshMachine) -> Iterator[Newcomer]:
    """Somebody who has done nothing there yet."""
    with ExitStack() as closing:
        yield sit_down(machine, closing)


@pytest.mark.soak
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("name", WALKS)
def test_a_newcomer_can_do_what_the_page_says(name: str, newcomer: Newcomer) -> None:
    for step in WALKS[name]:
        if isinstance(step, str):
            newcomer.walk(step)
        else:
            step(newcomer)


@pytest.mark.soak
@pytest.mark.timeout(2400)
@pytest.mark.parametrize(
    ("command", "when"),
    [
        ("make demo", "One night of operations"),
        ("make demo", "migrate the database"),
        (".venv/bin/bounty-ops up", "starting PostgreSQL"),
    ],
)
def test_ctrl_c_half_way_leaves_nothing_behind_and_says_so(
    command: str, when: str, newcomer: Newcomer
) -> None:
    """Make adds a line of its own, and ends as it likes."""
    log = newcomer.fresh.place / "interrupted.log"
    terminal = newcomer.fresh.start(f"exec {command}", log)
    until(terminal, log, when)
    code = interrupt(terminal)
    said = log.read_text("utf-8")
    assert none_left(newcomer.fresh) == []
    assert code == _INTERRUPTED or (command.startswith("make") and code != 0), said
    assert "Traceback" not in said
    assert [line for line in said.splitlines() if line.startswith("error: ")], said


def test_every_how_to_is_walked_on_a_fresh_machine_or_somewhere_else() -> None:
    how_tos = {page for page in pages() if page.startswith("docs/how-to/")}
    walked = {step for steps in WALKS.values() for step in steps if isinstance(step, str)}
    elsewhere = {f"docs/how-to/{name}.md" for name in ELSEWHERE}
    assert how_tos == (walked - {TUTORIAL}) | elsewhere | {"docs/how-to/studio.md"}
    assert [test for test in ELSEWHERE.values() if not (ROOT / test).is_file()] == []
