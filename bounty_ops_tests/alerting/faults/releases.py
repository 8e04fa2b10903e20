"""Migrations that failed, wait or passed gates, and a schema that nobody's revision made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting import Rule
from bounty_ops.definitions import build_definitions
from bounty_ops.defs.names import Names
from bounty_ops.environments import load_settings
from bounty_ops.journal import new_id
from bounty_ops.journal.evidence import Override
from bounty_ops.migrating import apply_migration, plan_migration
from bounty_ops_tests.alerting.faults.place import MINUTE, Place
from bounty_ops_tests.alerting.faults.table import Fault, fault
from bounty_ops_tests.journal.examples import a_migration

if TYPE_CHECKING:
    from collections.abc import Generator

    import dagster as dg

    from bounty_ops.journal.records import MigrationEvidence

FAULTS: Final[list[Fault]] = []
_DAY: Final = timedelta(days=1)


def _record(place: Place, **facts: object) -> MigrationEvidence:
    values = {"started_at": place.now, "finished_at": place.now, "environment": place.name}
    evidence = a_migration(**{"id": new_id(place.now), **values, **facts})
    place.journal().write_migration(evidence)
    return evidence


def migrate(place: Place) -> None:
    """Bring the database to the head."""
    environment = place.environment()
    apply_migration(plan_migration(environment), environment, operator="test")


@fault(
    FAULTS,
    Rule.MIGRATION_FAILED,
    "the record of a migration that failed",
    "the migration to 0002 failed",
    "bounty-ops db history",
    grave=True,
)
def a_failed_migration(place: Place) -> Generator[None, None, None]:
    _record(place)
    yield
    place.passes(MINUTE)
    _record(place, outcome="failed", to_revision="0002")
    yield
    place.passes(MINUTE)
    _record(place, to_revision="0002")


@fault(
    FAULTS,
    Rule.MIGRATION_OVERRIDE,
    "the record of a migration whose gates were overridden; it is over a day later",
    "anna overrode the gates",
    "backup, rehearsal",
    "the site is down",
    grave=True,
)
def gates_overridden(place: Place) -> Generator[None, None, None]:
    _record(place)
    yield
    place.passes(MINUTE)
    _record(place, override=Override(reason="the site is down", gates=("backup", "rehearsal")))
    yield
    place.passes(_DAY)


@fault(
    FAULTS,
    Rule.MIGRATION_PENDING,
    "a database at the head is put back to no revision",
    "to be applied",
    "bounty_0001",
    "bounty-ops db plan",
)
def a_database_left_behind(place: Place) -> Generator[None, None, None]:
    migrate(place)
    yield
    url = place.url
    place.url = place.make_database()  # as after a restore of an empty one
    place.write()
    yield
    place.url = url
    place.write()


@fault(
    FAULTS,
    Rule.SCHEMA_DRIFT,
    "a column is added by hand; the job that compares schemas runs before and after",
    "by_hand",
    "bounty-ops db drift",
)
def a_column_by_hand(place: Place) -> Generator[None, None, None]:
    migrate(place)
    _compare(place)
    yield
    place.execute("ALTER TABLE bounty ADD COLUMN by_hand int")
    _compare(place)
    yield
    place.execute("ALTER TABLE bounty DROP COLUMN by_hand")
    _compare(place)


def _compare(place: Place) -> None:
    run_job(place, Names(place.name).check_schema)


def run_job(place: Place, job: str) -> dg.ExecuteInProcessResult:
    """Run a job to its end; a failed run is a result."""
    definitions = build_definitions(load_settings(place.home))
    place.repository = definitions.get_repository_def()
    return definitions.resolve_job_def(job).execute_in_process(
        instance=place.instance, raise_on_error=False
    )
