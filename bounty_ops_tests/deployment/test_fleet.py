"""A thousand nights: how they are spread, who goes first, and how Dagster's queue drains."""

from __future__ import annotations

import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.storage.dagster_run import DagsterRun, DagsterRunStatus
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)
from hypothesis import given
from hypothesis import strategies as st

import bounty_ops
from benchmarks.fleet import Night, drain, fleet, most_at_once, table
from bounty_ops.definitions import build_definitions
from bounty_ops.defs.names import SERVER_TAG, Names
from bounty_ops.defs.waiting import PRIORITY_TAG, priority
from bounty_ops.environments import Policy, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(bounty_ops.__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "fleet.md"
NOW = datetime(2026, 5, 4, 1, 0, tzinfo=UTC)


def minute_of(cron: str) -> int:
    minute, hour, *_ = cron.split()
    return int(hour) * 60 + int(minute)


# The spread


def test_a_thousand_nights_fall_evenly_on_the_window() -> None:
    policy = Policy.of("any", {"nightly_cron": "0 1 * * *", "nightly_spread_minutes": 240})
    minutes = [minute_of(policy.nightly_of(f"customer_{number}")) for number in range(1_000)]
    assert min(minutes) >= 60
    assert max(minutes) < 60 + 240
    hours = Counter(minute // 60 for minute in minutes)
    assert all(200 <= hours[hour] <= 300 for hour in (1, 2, 3, 4)), hours
    assert max(Counter(minutes).values()) <= 15


def test_a_name_keeps_its_minute() -> None:
    policy = Policy.of("any", {"nightly_cron": "0 1 * * *", "nightly_spread_minutes": 240})
    assert policy.nightly_of("production") == "40 3 * * *"
    assert policy.nightly_of("staging") == "38 4 * * *"


def test_without_a_spread_nothing_moves() -> None:
    policy = Policy.of("any", {"nightly_cron": "*/30 1-5 * * 0"})
    assert policy.nightly_of("production") == "*/30 1-5 * * 0"


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    window=st.integers(1, 1439),
    name=st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True),
)
def test_every_night_lies_in_its_window(minute: int, hour: int, window: int, name: str) -> None:
    policy = Policy.of(
        "any", {"nightly_cron": f"{minute} {hour} * * *", "nightly_spread_minutes": window}
    )
    moved = minute_of(policy.nightly_of(name)) - (hour * 60 + minute)
    assert moved % 1440 < window


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("*/10 2 * * *", "not one number each"),
        ("0 1-3 * * *", "not one number each"),
        ("0 23 * * 0", "another day"),
    ],
)
def test_what_cannot_be_moved_is_refused(tmp_path: Path, cron: str, why: str) -> None:
    (tmp_path / "bounty_ops.toml").write_text(
        f'[defaults]\nnightly_cron = "{cron}"\nnightly_spread_minutes = 120\n'
    )
    (tmp_path / ".env.staging").write_text("DATABASE_URL=postgresql://role:word@db/bounty\n")
    problem = load_settings(tmp_path, {}).environment("staging").problem
    assert problem is not None
    assert why in str(problem)


# What stands on a run


def definitions(home: Path, policy: str = "") -> dg.Definitions:
    (home / "bounty_ops.toml").write_text(policy)
    (home / ".env.staging").write_text("DATABASE_URL=postgresql://role:word@db7:5433/bounty\n")
    return build_definitions(load_settings(home, {}))


def test_a_night_carries_its_server_and_no_other_job_does(tmp_path: Path) -> None:
    built = definitions(tmp_path)
    assert built.resolve_job_def("staging_nightly").tags[SERVER_TAG] == "db7:5433"
    assert SERVER_TAG not in built.resolve_job_def("staging_collect").tags
    assert built.resolve_job_def("staging_check_schema").tags[PRIORITY_TAG] == "-2000"


def test_tags_of_the_policy_reach_dagster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOUNTY_OPS_HOME", str(tmp_path))
    examples = PAGE.read_text("utf-8").split("```toml\n")[1:]
    texts = [example.split("```")[0] for example in examples]
    assert all(tomllib.loads(text) for text in texts)
    policy = """
[environments.staging.job_tags.nightly]
"bounty_ops/server" = "db7"
"dagster/priority" = "5"
[environments.staging.job_tags.nightly."dagster-k8s/config".container_config.resources]
requests = {cpu = "2", memory = "4Gi"}
[environments.staging.job_tags.collect]
"dagster-celery/queue" = "small"
"""
    built = definitions(tmp_path, policy)
    tags = built.resolve_job_def("staging_nightly").tags
    assert tags[SERVER_TAG] == "db7"
    assert '"memory": "4Gi"' in tags["dagster-k8s/config"]
    assert tags["bounty_ops/environment"] == "staging"
    assert built.resolve_job_def("staging_collect").tags["dagster-celery/queue"] == "small"
    schedule = built.resolve_schedule_def("staging_nightly_schedule")
    assert isinstance(schedule, dg.ScheduleDefinition)
    with dg.build_schedule_context() as context:  # without an instance: nobody is asked
        (request,) = schedule.evaluate_tick(context).run_requests or ()
    assert PRIORITY_TAG not in request.tags, "that of the job holds"


def test_a_job_that_is_not_scheduled_cannot_be_tagged(tmp_path: Path) -> None:
    definitions(tmp_path, '[defaults.job_tags.migrate]\n"dagster/priority" = "5"\n')
    assert load_settings(tmp_path, {}).environment("staging").problem is not None


# Who goes first


def proof(verdict: str) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        Names("staging").asset("restore_verification"),
        metadata={"verdict": dg.MetadataValue.md(f"**{verdict}**")},
    )


def test_the_longer_ago_a_proof_is_the_sooner_it_is_somebodys_turn() -> None:
    names = Names("staging")
    with dg.DagsterInstance.ephemeral() as instance:
        now = datetime.now(UTC)
        assert priority(instance, names, now) == -1, "never proved"
        instance.report_runless_asset_event(proof("refuted"))
        assert priority(instance, names, now) == -1, "a refutation is no proof"
        instance.report_runless_asset_event(proof("proved"))
        instance.report_runless_asset_event(proof("inconclusive"))
        ages = {0: -1000, 25: -975, 49: -951, 5_000: -1}
        for hours, expected in ages.items():
            later = now + timedelta(hours=hours, minutes=1)
            assert priority(instance, names, later) == expected


# The queue


def test_the_page_shows_what_the_simulation_says() -> None:
    shown = PAGE.read_text("utf-8").split("<!-- table -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == table()


def test_a_thousand_nights_end_within_their_window_and_spare_every_server() -> None:
    begun = drain(fleet(1_000, 50, 240), most=50, most_of_server=2)
    assert len({each.night.name for each in begun}) == 1_000
    assert most_at_once(begun) <= 50
    assert max(each.end for each in begun) <= (1 + 4) * 60 + 20
    for server in range(50):
        of_one = [each for each in begun if each.night.server == f"server_{server}"]
        assert most_at_once(of_one) <= 2


NIGHTS = st.lists(
    st.builds(
        Night,
        name=st.just("any"),
        server=st.sampled_from(["a", "b", "c"]),
        due=st.integers(0, 30),
        lasts=st.integers(1, 12),
        priority=st.integers(-3, 0),
    ),
    max_size=25,
)


@given(nights=NIGHTS, most=st.integers(1, 6), of_server=st.integers(1, 3))
def test_no_limit_is_passed_and_no_place_is_left_free(
    nights: list[Night], most: int, of_server: int
) -> None:
    begun = drain(nights, most=most, most_of_server=of_server)
    assert Counter(each.night for each in begun) == Counter(nights)
    for minute in {each.night.due for each in begun} | {each.end for each in begun}:
        running = [each for each in begun if each.begin <= minute < each.end]
        per_server = Counter(each.night.server for each in running)
        assert len(running) <= most
        assert max(per_server.values(), default=0) <= of_server
        waiting = [each for each in begun if each.night.due <= minute < each.begin]
        free = [each for each in waiting if per_server[each.night.server] < of_server]
        assert not free or len(running) == most, "a place was free, and somebody waited for it"
        for each in free:
            passed = [
                other
                for other in begun
                if other.begin == minute and other.night.priority < each.night.priority
            ]
            assert not passed, "somebody of a lower priority went first"


@pytest.fixture
def queue() -> Iterator[dg.DagsterInstance]:
    """An instance with the concurrency of the project's dagster.yaml, but 4 runs at once."""
    concurrency = {
        "runs": {
            "max_concurrent_runs": 4,
            "tag_concurrency_limits": [
                {"key": SERVER_TAG, "value": {"applyLimitPerUniqueValue": True}, "limit": 2}
            ],
        }
    }
    with dg.instance_for_test(overrides={"concurrency": concurrency}) as instance:
        yield instance


def test_the_simulation_chooses_whom_dagsters_daemon_chooses(queue: dg.DagsterInstance) -> None:
    """Both are given the same queue, minute by minute, until it is empty."""
    nights = [
        Night(f"night_{number}", f"server_{number % 3}", due=0, lasts=1, priority=-(number * 7 % 5))
        for number in range(14)
    ]
    expected: dict[int, set[str]] = {}
    for each in drain(nights, most=4, most_of_server=2):
        expected.setdefault(each.begin, set()).add(each.night.name)

    server = GrpcServerCodeLocationOrigin(host="127.0.0.1", port=9, location_name="any")
    location = RemoteRepositoryOrigin(server, "any")
    for night in nights:
        tags = {SERVER_TAG: night.server, PRIORITY_TAG: str(night.priority)}
        queue.add_run(
            DagsterRun(
                job_name=night.name,
                status=DagsterRunStatus.QUEUED,
                tags=tags,
                remote_job_origin=RemoteJobOrigin(location, night.name),
            )
        )
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
    for minute in sorted(expected):
        chosen = daemon._get_runs_to_dequeue(
            queue, queue.get_concurrency_config(), fixed_iteration_time=NOW.timestamp()
        )
        assert {run.job_name for run in chosen} == expected[minute]
        for run in chosen:
            queue.delete_run(run.run_id)  # as if it had ended
    assert queue.get_runs_count() == 0
