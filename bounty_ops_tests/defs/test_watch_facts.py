"""What the watcher reads in Dagster's storage: failed runs, dead sensors, drift, and how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from bounty_ops.defs.failures import Secrets
from bounty_ops.defs.names import Names
from bounty_ops.defs.schema_checks import DIFFERENCE_LINES, NO_DRIFT
from bounty_ops.defs.watch_facts import DagsterEyes, longest_pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops_tests.defs.conftest import Deployment

#: Environments of this file: the instance is shared with other tests.
ENVIRONMENT = "watched_by_tests"
AWAY = "postgresql://role:secret-word@127.0.0.1:9/bounty"


def _eyes(deployment: Deployment, environment: str = ENVIRONMENT) -> DagsterEyes:
    repository = deployment.definitions().get_repository_def()
    return DagsterEyes(deployment.instance, repository, Names(environment), Secrets())


def test_the_latest_run_of_a_job_counts_and_its_failure_tells_no_secret(
    make_deployment: Callable[..., Deployment],
) -> None:
    deployment = make_deployment(**{ENVIRONMENT: AWAY})
    result = deployment.run(f"{ENVIRONMENT}_migrate")
    assert not result.success
    facts = _eyes(deployment).facts(datetime.now(UTC))
    (run,) = facts.runs
    assert (run.job, run.run_id, run.failed) == (f"{ENVIRONMENT}_migrate", result.run_id, True)
    assert "127.0.0.1:9" in run.reason
    assert "secret-word" not in str(facts)
    assert _eyes(deployment, "another").facts(datetime.now(UTC)).runs == ()
    later = datetime.now(UTC) + timedelta(days=30)
    assert _eyes(deployment).facts(later).runs == ()


def test_the_last_comparison_of_the_schema_is_read_from_its_check(
    make_deployment: Callable[..., Deployment],
) -> None:
    deployment = make_deployment(drifted_by_tests=AWAY)
    eyes = _eyes(deployment, "drifted_by_tests")
    assert eyes.drift() is None
    key = Names("drifted_by_tests").asset("schema_revision")
    line = "column bounty.title: expected text, found varchar"
    deployment.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=key, check_name=NO_DRIFT, passed=False, metadata={DIFFERENCE_LINES: [line]}
        )
    )
    drift = eyes.drift()
    assert drift is not None
    assert drift.differences == (line,)


@pytest.mark.parametrize(
    ("cron", "seconds"),
    [
        ("*/15 * * * *", 900),
        ("0 2 * * *", 86_400),
        ("0 2 * * 1-5", 3 * 86_400),
        ("0 2 1 * *", 31 * 86_400),
        ("0 2 29 2 *", None),
    ],
)
def test_a_schedule_is_late_after_its_longest_pause(cron: str, seconds: float | None) -> None:
    assert longest_pause(cron) == seconds
