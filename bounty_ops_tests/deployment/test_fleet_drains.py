"""Forty runs through a real queue: Dagster's daemon, a code server and our dagster.yaml."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import dagster as dg
import pytest
import yaml  # type: ignore[import-untyped]  # it has no stubs here

from benchmarks.fleet import Night, drain
from bounty_ops.cli.dagster_client import DagsterClient
from bounty_ops.defs.waiting import PRIORITY_TAG
from bounty_ops.embedded import ports
from bounty_ops_tests.deployment.examples import ROOT, read
from bounty_ops_tests.deployment.running import healthy, running, wait_for
from bounty_ops_tests.deployment.sleepers import DATABASES, name, server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

_CONCURRENCY: Final = read(ROOT / "dagster.yaml")["concurrency"]
MOST: Final[int] = _CONCURRENCY["runs"]["max_concurrent_runs"]
MOST_OF_SERVER: Final[int] = _CONCURRENCY["runs"]["tag_concurrency_limits"][0]["limit"]
#: Every database has a run that is more urgent than all the second ones.
RUNS: Final = 2 * DATABASES


@dataclass(frozen=True)
class Ran:
    """One run, in seconds since the epoch."""

    number: int
    launched: float
    begin: float
    end: float
    work: tuple[float, float]

    @property
    def database(self) -> int:
        return self.number % DATABASES


@dataclass
class Fleet:
    """Code server and webserver that run, and a daemon that does not yet."""

    home: Path
    environment: dict[str, str]
    client: DagsterClient
    processes: ExitStack

    def launch(self) -> dict[str, int]:
        """Queue all of them; number by run's id, the most urgent first."""
        jobs = self.client.jobs()
        launched = {}
        # The least urgent ones come first, so that to come first helps nobody.
        for number in reversed(range(RUNS)):
            job = jobs[name(number % DATABASES)]
            run = self.client.launch(job, tags={PRIORITY_TAG: str(-1 - number)})
            launched[run] = number
        return launched

    def start_daemon(self) -> None:
        argv = ["dagster-daemon", "run", f"--workspace={self.home / 'workspace.yaml'}"]
        log = self.home / "daemon.log"
        self.processes.enter_context(running(argv, self.environment, self.home, log))


@pytest.fixture
def fleet(
    tmp_path: Path, fresh_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fleet]:
    code, ui = ports.choose(2)
    environment = {
        "DAGSTER_HOME": str(tmp_path),
        "DAGSTER_PG_HOST": fresh_database.host,
        "DAGSTER_PG_PORT": str(fresh_database.port),
        "DAGSTER_PG_USER": fresh_database.user,
        "DAGSTER_PG_PASSWORD": fresh_database.password or "",
        "DAGSTER_PG_DB": fresh_database.database,
        "PYTHONPATH": str(ROOT),
    }
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    place = {"host": ports.LOOPBACK, "port": code, "location_name": "sleepers"}
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": place}]}))
    module = "bounty_ops_tests.deployment.sleepers"
    argv = {
        "code": ["dagster", "code-server", "start", "--host", ports.LOOPBACK, "--port", str(code),
                 "--module-name", module, "--location-name", "sleepers"],
        "webserver": ["dagster-webserver", "--host", ports.LOOPBACK, "--port", str(ui),
                      f"--workspace={workspace}"],
    }  # fmt: skip
    test = ["CMD", "dagster", "api", "grpc-health-check", "--port", str(code)]
    with ExitStack() as processes:
        for service, words in argv.items():
            log = tmp_path / f"{service}.log"
            processes.enter_context(running(words, environment, tmp_path, log))
            if service == "code":
                wait_for(service, lambda: healthy(test, environment, tmp_path), log)
        client = DagsterClient(f"http://{ports.LOOPBACK}:{ui}")
        wait_for("webserver", lambda: answers(client), tmp_path / "webserver.log")
        yield Fleet(tmp_path, environment, client, processes)


def answers(client: DagsterClient) -> bool:
    try:
        return bool(client.jobs(patience_seconds=1))
    except Exception:  # noqa: BLE001 - whatever is said by somebody who is still starting
        return False


@contextmanager
def records() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as instance:
        yield instance


def told(instance: dg.DagsterInstance, run_id: str, number: int) -> Ran:
    """When a run was launched, began, worked and ended, by its events."""
    at = {
        entry.dagster_event.event_type: entry.timestamp
        for entry in instance.all_logs(run_id)
        if entry.dagster_event is not None
    }
    kinds = dg.DagsterEventType
    work = (at[kinds.STEP_START], at[kinds.STEP_SUCCESS])
    return Ran(number, at[kinds.RUN_STARTING], at[kinds.RUN_START], at[kinds.RUN_SUCCESS], work)


def most_at_once(spans: list[tuple[float, float]]) -> int:
    """How many overlap at most; what ends when another begins does not."""
    steps = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    most = now = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_forty_runs_drain_in_order_and_never_pass_a_limit(fleet: Fleet) -> None:
    launched = fleet.launch()
    with records() as instance:
        assert instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])) == RUNS
        fleet.start_daemon()
        for run_id, number in launched.items():
            run = fleet.client.wait(run_id, name(number % DATABASES))
            assert run.succeeded, fleet.client.failure(run_id)
        ran = [told(instance, run_id, number) for run_id, number in launched.items()]

    assert most_at_once([(each.launched, each.end) for each in ran]) <= MOST
    for place in {server(number) for number in range(DATABASES)}:
        of_one = [each for each in ran if server(each.database) == place]
        assert most_at_once([(each.launched, each.end) for each in of_one]) <= MOST_OF_SERVER
    for database in range(DATABASES):
        of_one = [each for each in ran if each.database == database]
        assert most_at_once([each.work for each in of_one]) == 1, "the pool"

    nights = [
        Night(str(number), server(number % DATABASES), due=0, lasts=1, priority=-1 - number)
        for number in range(RUNS)
    ]
    simulated = drain(nights, most=MOST, most_of_server=MOST_OF_SERVER)
    first = {int(each.night.name) for each in simulated if each.begin == 0}
    begun = sorted(ran, key=lambda each: each.launched)
    assert {each.number for each in begun[:MOST]} == first
