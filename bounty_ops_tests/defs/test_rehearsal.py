"""The job `rehearse_migration` shows what a rehearsal found, and fails when it has not passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.defs.names import Names
from bounty_ops.defs.rehearsal import rehearse_job
from bounty_ops.journal.permits import read_rehearsals
from bounty_ops_tests.fix_backups import run

if TYPE_CHECKING:
    import dagster as dg

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.defs.conftest import Deployment


def rehearse(deployment: Deployment, **form: str) -> dg.ExecuteInProcessResult:
    return rehearse_job(Names("development")).execute_in_process(
        run_config=form or None, instance=deployment.instance, raise_on_error=False
    )


def test_without_a_proved_backup_the_run_fails_and_says_why(development: Deployment) -> None:
    failure = development.failure(rehearse(development, operator="ada"))

    assert "is inconclusive: there is no proved backup" in str(failure.description)
    [certificate] = read_rehearsals(development.journal().store, "development")
    assert (certificate.outcome, certificate.operator) == ("inconclusive", "ada")


@pytest.mark.soak
def test_a_rehearsal_that_passes_shows_its_statements(
    development: Deployment, fresh_database: DatabaseUrl
) -> None:
    run(fresh_database, "CREATE TABLE fruit AS SELECT 1 AS number")
    assert development.run("development_nightly").success

    result = rehearse(development)

    assert result.success
    [certificate] = read_rehearsals(development.journal().store, "development")
    assert certificate.outcome == "passed"
    told = development.everything_told(result)
    assert certificate.id in told
    assert "reads waited" in told
