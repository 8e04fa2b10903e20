"""`bounty-ops studio`: what it says before anybody opens a browser."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

import bounty_ops
from bounty_ops.cli import studio as command
from bounty_ops_tests.cli.documented import documented_fields
from bounty_ops_tests.studio.conftest import execute

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.fix_command_line import CommandLine


_ASKING = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'bounty-ops studio (query)' AND query LIKE '%pg_sleep%'"
)


def test_it_says_where_it_is_and_ends_with_ctrl_c(command_line: CommandLine) -> None:
    url = command_line.variables["DATABASE_URL"]
    (command_line.home / ".env.production").write_text(f"DATABASE_URL={url}\n", encoding="utf-8")
    (command_line.home / "bounty_ops.toml").write_text(
        "[environments.production]\nrequire_tls = false\n", encoding="utf-8"
    )
    with _running(command_line, *_of_the_page("production")) as (studio, said):
        document = json.loads(said)
        assert document.keys() == documented_fields("studio")
        assert (document["environment"], document["protected"]) == ("production", True)
        assert document["editing"] is False
        assert document["url"].startswith("http://127.0.0.1:")
        with pytest.raises(HTTPError, match="403"):
            urllib.request.urlopen(document["url"].partition("?")[0], timeout=30)  # noqa: S310 - ours
        port = document["url"].partition("/enter")[0].rpartition(":")[2]
        taken = command_line.run("studio", "--port", port)
        assert taken.code == 2
        assert "Choose another --port" in taken.stderr
        studio.send_signal(signal.SIGINT)
        rest = studio.communicate(timeout=60)
    assert studio.returncode == 0
    command_line.find_no_secret("".join(rest))


@pytest.mark.soak
def test_a_protected_environment_is_edited_when_that_is_asked_for(
    command_line: CommandLine,
) -> None:
    url = command_line.variables["DATABASE_URL"]
    (command_line.home / ".env.production").write_text(f"DATABASE_URL={url}\n", encoding="utf-8")
    (command_line.home / "bounty_ops.toml").write_text(
        "[environments.production]\nrequire_tls = false\n", encoding="utf-8"
    )
    with _running(command_line, *_of_the_page("--allow-edit")) as (studio, said):
        studio.send_signal(signal.SIGTERM)
        studio.communicate(timeout=60)
    document = json.loads(said)
    assert (document["protected"], document["editing"]) == (True, True)
    assert studio.returncode == 143


@pytest.mark.soak
def test_secrets_are_shown_when_that_is_asked_for(command_line: CommandLine) -> None:
    with _running(command_line, *_of_the_page("--show-secrets")) as (studio, said):
        studio.send_signal(signal.SIGINT)
        studio.communicate(timeout=60)
    assert json.loads(said)["secrets_shown"] is True


@pytest.mark.soak
def test_ctrl_c_ends_it_in_the_middle_of_a_query(
    command_line: CommandLine, fresh_database: DatabaseUrl
) -> None:
    line = command_line.with_variables(DATABASE_URL=fresh_database.text())
    with _running(line, "studio", "--read-only") as (studio, said):
        address = json.loads(said)["url"]
        origin = address.partition("/enter")[0]
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with browser.open(address, timeout=30) as entered:
            goal = re.search(r'href="(/studio-[0-9a-f]+/)"', entered.read().decode())
        assert goal is not None
        asked = urllib.request.Request(  # noqa: S310 - ours
            f"{origin}{goal[1]}query",
            data=urlencode({"sql": "SELECT pg_sleep(14)"}).encode(),
            headers={"Origin": origin},
        )

        def ask() -> None:
            with suppress(OSError, http.client.HTTPException):
                browser.open(asked, timeout=60).close()

        asking = threading.Thread(target=ask)
        asking.start()
        while not execute(fresh_database, _ASKING):
            time.sleep(0.05)
        studio.send_signal(signal.SIGINT)
        rest = studio.communicate(timeout=60)
        asking.join()
    assert studio.returncode == 0
    assert "Traceback" not in "".join(rest)
    assert execute(fresh_database, _ASKING) == [], "the server's part of it has ended too"


@contextmanager
def _running(line: CommandLine, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A studio and what it said first; it ends with the block, whatever happens there."""
    with line.start(*words, "--port", "0", "--json") as studio:
        try:
            assert studio.stdout is not None
            said = ""
            while not said.endswith("}\n"):
                line_said = studio.stdout.readline()
                assert line_said, "it ended before it said where it is"
                said += line_said
            yield studio, said
        finally:
            studio.kill()


def _of_the_page(ending: str) -> list[str]:
    """The words of the command on docs/how-to/studio.md that ends so."""
    page = Path(bounty_ops.__file__).parents[1] / "docs" / "how-to" / "studio.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    [found] = [one for one in lines if one.startswith("bounty-ops ") and one.endswith(ending)]
    return found.split()[1:]


def test_the_image_does_not_hold_it() -> None:
    """As the page says; what is installed with the extra is in the lock for development."""
    root = Path(bounty_ops.__file__).parents[1]
    assert "\nsqladmin==" in (root / "requirements.lock").read_text(encoding="utf-8")
    image = (root / "requirements-image.lock").read_text(encoding="utf-8")
    assert "sqladmin" not in image
    page = (root / "docs" / "how-to" / "studio.md").read_text(encoding="utf-8")
    assert "container image does not hold it" in page


def test_what_cannot_work_is_said(bare_command_line: CommandLine) -> None:
    line = bare_command_line
    unknown = line.run("studio", "-e", "nowhere")
    assert unknown.code == 2
    assert "nowhere" in unknown.stderr
    both = line.run("studio", "--allow-edit", "--read-only")
    assert both.code == 2
    (line.home / ".env.production").write_text("DATABASE_URL=postgresql://a@127.0.0.1/b\n")
    secrets = line.run("studio", "-e", "production", "--show-secrets")
    assert secrets.code == 2
    assert "its secrets are not shown" in secrets.stderr
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        away = line.with_variables(DATABASE_URL=f"postgresql://ada:pw@127.0.0.1:{port}/bounty")
        refused = away.run("studio", "--read-only", "--port", "0")
    assert refused.code == 3
    assert f"127.0.0.1:{port}" in refused.stderr


def test_without_the_extra_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from click.testing import CliRunner  # noqa: PLC0415 - of this test alone

    from bounty_ops.cli.invocation import Invocation  # noqa: PLC0415
    from bounty_ops.errors import UsageError  # noqa: PLC0415

    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    ended = CliRunner().invoke(command.studio, [], obj=Invocation())
    assert isinstance(ended.exception, UsageError)
    assert "bounty-ops[studio]" in ended.exception.hint
