"""The main journey: one night through the real Dagster, in a soak after one that is broken off.

What is looked for besides the result: passwords, everywhere they could have got to, and processes
that outlived their command.
"""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import pytest

from bounty_ops.embedded import stand_in
from bounty_ops.embedded.databases import Databases
from bounty_ops.embedded.state import State
from bounty_ops.environments import load_settings
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.run import run_program
from bounty_ops_tests.cli.documented import documented_fields
from bounty_ops_tests.embedded.observing import command_lines, none_left, processes_of
from bounty_ops_tests.watching import Watch as Starts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops_tests.fix_command_line import CommandLine

_GLANCE_SECONDS = 0.15


class Watch:
    """Looks at the argv of every process of a project, as `ps` would, until it is told to stop.

    What lives for a moment it misses; who starts a program tells of that one by itself.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: set[str] = set()

    def _look(self) -> None:
        while not self._stop.wait(_GLANCE_SECONDS):
            self.seen.update(command_lines(processes_of(self._home)).splitlines())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("broken_off_first", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_a_night_is_performed_and_leaves_a_proof_and_no_secret(
    bare_command_line: CommandLine, tmp_path: Path, *, broken_off_first: bool
) -> None:
    home = bare_command_line.home
    (tmp_path / "watch").mkdir()
    starts = Starts(tmp_path / "watch")
    shell = replace(bare_command_line, variables=starts.variables(bare_command_line.environ()))
    with Watch(home) as watch:
        broken_off = _break_off(shell) if broken_off_first else ""
        night = shell.run("demo", "--json")
    assert night.code == 0, night.stdout + night.stderr
    assert night.stderr == ""
    _check_document(night.document)
    _check_list(bare_command_line, night.document["backup"]["id"])
    assert none_left(home)

    secrets = _secrets(home)
    started = starts.started()
    assert {"pg_dump", "pg_restore"} <= {each.program for each in started}
    for stays in ("bin/postgres -D", "weed", "dagster-daemon"):
        assert any(stays in line for line in watch.seen), stays
    everything = {
        "argv": "\n".join([*watch.seen, *(" ".join(each.argv) for each in started)]),
        "what was printed": broken_off + night.stdout + night.stderr,
        **dict(_files(home)),
        **dict(_stored(home)),
    }
    assert any("dagster-daemon" in name for name in everything)
    assert len(everything["Dagster's storage"]) > 10_000
    leaks = [name for name, text in everything.items() if any(secret in text for secret in secrets)]
    assert leaks == []


def _break_off(command_line: CommandLine) -> str:
    """Ctrl-C while the nightly run is under way; what the demonstration had said until then."""
    process = command_line.start("demo")
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if re.search(r"fill it with data .* 20,000 rows in 37 tables", line):
            break
    else:
        pytest.fail(said + (process.stderr.read() if process.stderr else ""))
    deadline = time.monotonic() + 60
    # pg_dump itself may be done between two glances; the server of the drill stays for seconds.
    while not re.search(
        "pg_dump|pg_restore|cluster-", command_lines(processes_of(command_line.home))
    ):
        assert time.monotonic() < deadline, "the nightly run never began"
        time.sleep(_GLANCE_SECONDS)
    process.send_signal(signal.SIGINT)
    rest, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert [line.split(":")[0] for line in stderr.splitlines()] == ["error", "hint"]
    assert processes_of(command_line.home) == []
    return said + rest + stderr


def _check_document(document: dict[str, Any]) -> None:
    assert set(document) == documented_fields("demo")
    assert document["proof"]["verdict"] == "proved"
    assert document["proof"]["differences"] == 0
    assert document["proof"]["tables_compared"] == document["backup"]["tables"]
    rows = document["backup"]["rows"]
    assert isinstance(rows, int)
    assert rows >= 20_000
    steps = {step["name"]: step for step in document["steps"]}
    assert list(steps) == ["start", "load", "migrate", "seed", "nightly", "collect"]
    assert steps["nightly"]["run_id"]
    assert steps["collect"]["run_id"]


def _check_list(command_line: CommandLine, backup_id: object) -> None:
    outcome = command_line.run("backup", "list", "--json")
    assert outcome.code == 0, outcome.stderr
    listed = outcome.document
    newest = listed[0]
    assert newest["id"] == backup_id
    assert (newest["state"], newest["verdict"]) == ("complete", "proved")
    assert newest["size_bytes"] > 0
    assert re.fullmatch(r"[0-9a-f]{64}", newest["sha256"])
    # What the interrupted night had begun is either whole or not there.
    assert {each["state"] for each in listed} == {"complete"}


def _secrets(home: Path) -> list[str]:
    found = json.loads((home / ".bounty-ops" / "secrets.json").read_text(encoding="utf-8"))
    public = {"identity", "s3_access_key_id"}
    secrets = [value for name, value in found.items() if name not in public]
    assert len(secrets) >= 4
    return secrets


def _files(home: Path) -> Iterator[tuple[str, str]]:
    """Logs, reports and all that Dagster keeps in files."""
    for path in (home / ".bounty-ops").rglob("*"):
        inside = {"cluster", "s3"} & set(path.relative_to(home).parts)
        if path.is_file() and path.name != "secrets.json" and not inside:
            yield str(path.relative_to(home)), path.read_text(encoding="utf-8", errors="replace")


def _stored(home: Path) -> Iterator[tuple[str, str]]:
    """Everything in Dagster's and in our own database, and every record in the bucket."""
    settings = load_settings(home, {})
    with stand_in(settings) as complete:
        state = State(settings.state_dir)
        databases = Databases(state, state.secrets())
        for name, url in (
            ("Dagster's storage", databases.url("dagster")),
            ("the operations database", complete.require_ops_url()),
        ):
            yield name, run_program(find_programs(17), "pg_dump", ["--no-owner"], url=url)
        store = ObjectStore(complete.require_object_store())
        for entry in store.list(""):
            if entry.key.endswith(".json"):
                yield f"s3: {entry.key}", store.get(entry.key).decode()
