"""One night of operations, launched through Dagster as a person or a schedule would launch it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bounty_ops.cli.dagster_client import DagsterError
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.errors import BountyOpsError, UsageError
from bounty_ops.journal import Journal
from bounty_ops.journal.records import Verdict
from bounty_ops.migrating import plan_migration
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect
from bounty_ops.seeding import seed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from bounty_ops.cli.dagster_client import DagsterClient, Job, Run
    from bounty_ops.environments import Environment, Settings
    from bounty_ops.journal.records import Manifest, Proof
    from bounty_ops.migrating import MigrationPlan

ROWS: Final = 20_000
#: A run that is asked to stop gets this long before the whole stack is stopped anyway.
_CANCEL_SECONDS: Final = 2.5
_CANCEL_POLL_SECONDS: Final = 0.2
_TAGS: Final = {"bounty_ops/launched_by": "demo"}


class NightError(BountyOpsError):
    """A part of the night failed, or proved nothing."""


@dataclass(frozen=True)
class Step:
    """One part of the night that is over."""

    name: str
    seconds: float
    detail: str
    run_id: str | None = None


@dataclass(frozen=True)
class Night:
    """What a night left behind, read back from the bucket."""

    environment: str
    steps: tuple[Step, ...]
    manifest: Manifest
    proof: Proof


@dataclass
class Performance:
    """A night under way."""

    settings: Settings
    environment: Environment
    """With the embedded server's URL where one stands in."""
    embedded: bool
    dagster: DagsterClient
    show: Callable[[str], AbstractContextManager[None]]
    """Shows that something goes on, for the length of a block."""
    tell: Callable[[Step], None]
    """Hears of every step that is over."""
    steps: list[Step] = field(default_factory=list)
    jobs: Mapping[str, Job] = field(default_factory=dict)

    def perform(self) -> Night:
        """Migrate, seed, back up and verify, measure; then read what the bucket holds.

        Raises:
            NightError: a run failed, or there is no proof at its end.
            DagsterError: Dagster does not answer, or refuses.
        """
        began = time.monotonic()
        with self.show("Dagster loads the definitions"):
            self.jobs = self.dagster.jobs()
        self._over("load", began, f"{len(self.jobs)} jobs")
        self._migrate()
        self._seed()
        known = {summary.id for summary in self._journal().summaries(self.environment.name)}
        self._launch("nightly", "backed up, restored and compared")
        self._launch("collect", "connections, queries, tables and indexes measured")
        manifest, proof = self._evidence(known)
        return Night(self.environment.name, tuple(self.steps), manifest, proof)

    def _migrate(self) -> None:
        began = time.monotonic()
        with self.show("Planning the migration"):
            plan = plan_migration(self.environment)
        if not plan.pending:
            self._over("migrate", began, f"already at {plan.current}")
            return
        check_harmless(plan, self.environment, embedded=self.embedded)
        form = {"apply": plan.digest, "operator": operator_name(), "reason": "bounty-ops demo"}
        self._launch("migrate", f"{plan.current or 'empty'} -> {plan.head}", form)

    def _seed(self) -> None:
        began = time.monotonic()
        if self._has_rows():
            self._over("seed", began, "the database already has rows")
            return
        with self.show(f"Writing {ROWS:,} rows"):
            result = seed(self.environment, rows=ROWS)
        self._over("seed", began, f"{result.total:,} rows in {len(result.rows)} tables")

    def _has_rows(self) -> bool:
        url = self.environment.require_url()
        with connect(url, application_name="bounty-ops demo", read_only=True) as connection:
            row = connection.execute('SELECT EXISTS (SELECT FROM public."user")').fetchone()
        return bool(row and row[0])

    def _launch(self, job: str, detail: str, config: Mapping[str, object] | None = None) -> None:
        """Run a job of the environment to its end."""
        name = f"{self.environment.name}_{job}"
        if name not in self.jobs:
            raise DagsterError(
                f"Dagster has no job {name}",
                hint="The running stack was started with other settings: stop it and try again.",
            )
        began = time.monotonic()
        run_id = self.dagster.launch(self.jobs[name], config=config, tags=_TAGS)
        with self.show(f"Dagster runs {name}"):
            run = self._follow(run_id, name)
        if not run.succeeded:
            raise self._failed(run)
        self._over(job, began, detail, run_id)

    def _follow(self, run_id: str, name: str) -> Run:
        try:
            return self.dagster.wait(run_id, name)
        except KeyboardInterrupt:
            self._cancel(run_id)
            raise

    def _cancel(self, run_id: str) -> None:
        """Let the run take back what it began; what it does not finish dies with the stack."""
        try:
            self.dagster.cancel(run_id)
            deadline = time.monotonic() + _CANCEL_SECONDS
            while not self.dagster.finished(run_id) and time.monotonic() < deadline:
                time.sleep(_CANCEL_POLL_SECONDS)
        except DagsterError:
            return  # Ctrl-C reached Dagster as well, and it was quicker

    def _failed(self, run: Run) -> NightError:
        happened, _, hint = self.dagster.failure(run.run_id).partition("\n")
        logs = self.settings.state_dir / "logs"
        return NightError(
            f"the run of {run.job} ended with {run.status}: {happened}",
            hint=f"{hint or 'Correct the cause and run the command again.'} "
            f"Run {run.run_id}; logs in {logs}",
        )

    def _evidence(self, known: set[str]) -> tuple[Manifest, Proof]:
        """The backup of this night and its proof, from the bucket and not from Dagster's word."""
        journal = self._journal()
        summaries = journal.summaries(self.environment.name)
        fresh = [summary for summary in summaries if summary.id not in known]
        if not fresh:
            raise NightError(
                "the nightly run succeeded, but the bucket holds no new backup",
                hint="Are BACKUP_BUCKET and the running stack those of the same project?",
            )
        summary = max(fresh, key=lambda each: each.taken_at)
        if summary.verdict is not Verdict.PROVED:
            raise NightError(
                f"backup {summary.id} is {summary.verdict}, not proved",
                hint=f"Look at it: bounty-ops backup verify {summary.id}",
            )
        manifest = journal.find(summary.id, self.environment.name)
        proofs = journal.proofs(self.environment.name, summary.id)
        return manifest, max(proofs, key=lambda proof: proof.verified_at)

    def _journal(self) -> Journal:
        return Journal(ObjectStore(self.settings.require_object_store()))

    def _over(self, name: str, began: float, detail: str, run_id: str | None = None) -> None:
        step = Step(name, time.monotonic() - began, detail, run_id)
        self.steps.append(step)
        self.tell(step)


def check_unprotected(environment: Environment) -> None:
    """A demonstration fills a database; a protected one is not for that.

    Raises:
        UsageError: it is protected.
    """
    if environment.policy.protected:
        raise UsageError(
            f"{environment.name} is protected, and a demonstration would change it",
            hint="Unset DATABASE_URL to see it on a local server, or name another with -e.",
        )


def check_harmless(plan: MigrationPlan, environment: Environment, *, embedded: bool) -> None:
    """A demonstration may migrate a database that is empty, or our own.

    Raises:
        UsageError: somebody else's has migrations pending.
    """
    if plan.current is not None and not embedded:
        raise UsageError(
            f"{environment.name} has migrations pending, which a demonstration does not apply",
            hint=f"Look at them: bounty-ops db migrate -e {environment.name} --dry-run",
        )
