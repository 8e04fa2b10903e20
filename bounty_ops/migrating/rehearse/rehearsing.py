"""Rehearsing a migration on a restored copy, and writing the certificate of it."""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from bounty_ops.errors import EmbeddedError, PostgresError, UsageError
from bounty_ops.journal.evidence import Rehearsal
from bounty_ops.journal.ids import new_id
from bounty_ops.journal.permits import write_rehearsal
from bounty_ops.migrating.errors import StalePlanError
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.rehearse.choosing import proved_backup
from bounty_ops.migrating.rehearse.copying import APPLICATION_NAME, Source, restored_copy
from bounty_ops.migrating.rehearse.describing import described
from bounty_ops.migrating.rehearse.drill import Drill, Failed, Result
from bounty_ops.migrating.rehearse.predicting import total
from bounty_ops.migrating.rehearse.tables import Live, read_live
from bounty_ops.migrating.rehearse.waits import longest
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.restore.findings import Inconclusive, Refuted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from bounty_ops.environments import DatabaseUrl, Environment
    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import Manifest
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.plan import MigrationPlan

logger = logging.getLogger(__name__)

NO_SERVER: Final = "none"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Identities(Protocol):
    """Where private keys come from (`bounty_ops.environments.Settings.identities`)."""

    def __call__(self, *, encrypted: bool) -> tuple[str, ...]:
        """Those there are, for a backup that is encrypted or not."""


def rehearse(
    environment: Environment,
    journal: Journal,
    plan: MigrationPlan,
    *,
    operator: str,
    work_dir: Path,
    identities: Identities | None = None,
    server: DatabaseUrl | None = None,
    backup_id: str | None = None,
    lineage: Lineage = BOUNTY,
    progress: Callable[[int], None] | None = None,
) -> Rehearsal:
    """Apply a plan to a restored copy of the environment, and write down what it did there.

    The outcome is *passed* only if every revision succeeded, no rows changed that nothing in them
    names, and a downgrade with a second upgrade led back to the same schema and rows (or a
    revision says that it cannot be taken back). It is *failed* if the migration is to blame, and
    *inconclusive* if the rehearsal itself could not be carried out.

    Args:
        environment: whose database the plan is for; it is asked for the sizes of its tables, and
            nothing else is done to it.
        journal: where its backups lie, and where the certificate goes.
        plan: what is pending there.
        operator: who wants to know.
        work_dir: with room for the archives and for twice the restored database.
        identities: gives the private keys of age, if the backup turns out to be encrypted.
        server: one that is given for drills, to use instead of a throw-away cluster.
        backup_id: the backup to restore, which has to be proved; None: the last one that is.
        lineage: the line of migrations.
        progress: called with the bytes of all objects fetched so far, from other threads.

    Raises:
        UsageError: another environment's plan, one with nothing in it, or an unknown backup.
        StalePlanError: the files have changed since the plan was made.
        ObjectStoreError: the bucket cannot be read, or the certificate not be written.
        JournalError: a manifest cannot be read.
        ConfigurationError: the backup is encrypted, and the private keys cannot be read.
    """
    _require_current(environment, plan, lineage)
    work = _Work(environment, journal, plan, operator, lineage, backup_id)

    def source(manifest: Manifest) -> Source:
        encrypted = manifest.encryption is not None
        keys = identities(encrypted=encrypted) if identities is not None else ()
        return Source(manifest, journal, work_dir, keys, server, progress or _ignore)

    rehearsal = work.certificate(*work.outcome(source, work_dir))
    write_rehearsal(journal.store, rehearsal)
    return rehearsal


def _require_current(environment: Environment, plan: MigrationPlan, lineage: Lineage) -> None:
    if plan.environment != environment.name:
        raise UsageError(
            f"the plan is for {plan.environment}, not for {environment.name}",
            hint=f"Plan again: bounty-ops db plan -e {environment.name}",
        )
    if not plan.pending:
        raise UsageError(
            f"nothing is pending for {plan.environment}, so there is nothing to rehearse",
            hint="`bounty-ops db current` shows the revision of the database.",
        )
    files = {one.id: one.sha256 for one in revisions_of(lineage).order}
    if any(files.get(one.revision) != one.sha256 for one in plan.pending):
        raise StalePlanError(
            f"the migration files are no longer those that the plan for {plan.environment} was "
            "made of",
            hint="Plan again, then rehearse that.",
        )


@dataclass
class _Work:
    """One rehearsal, and what is known so far."""

    environment: Environment
    journal: Journal
    plan: MigrationPlan
    operator: str
    lineage: Lineage
    backup_id: str | None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    restored: str | None = None
    server_version: str = NO_SERVER
    result: Result = field(default_factory=Result)
    live: Live = field(default_factory=Live)

    def outcome(
        self, source: Callable[[Manifest], Source], work_dir: Path
    ) -> tuple[str, str | None]:
        """Rehearse; return the outcome with its reason, whatever happens on the way."""
        try:
            self._rehearse(source)
        except Failed as finding:
            return "failed", str(finding)
        except Inconclusive as finding:
            return "inconclusive", str(finding)
        except Refuted as finding:
            one = finding.difference
            return "inconclusive", (
                f"the backup is not what its manifest says ({one.kind} {one.object}): verify it"
            )
        except (EmbeddedError, PostgresError) as error:
            # Only the throw-away server is spoken to here: its troubles are not the migration's.
            return "inconclusive", f"{error} ({error.hint})"
        except OSError as error:
            if error.errno not in _FULL:
                raise
            return "inconclusive", f"no room left on the disk of {work_dir}"
        return "passed", None

    def _rehearse(self, source: Callable[[Manifest], Source]) -> None:
        manifest = proved_backup(self.journal, self.environment.name, self.backup_id)
        self.restored = manifest.id
        self.live = self._look_at_live()
        if self.live.major not in {None, manifest.server_major}:
            raise Inconclusive(
                f"the backup {manifest.id} is of PostgreSQL {manifest.server_major}, and "
                f"{self.environment.name} is {self.live.major} by now: back up again"
            )
        with restored_copy(source(manifest), self.live.settings) as copy:
            self.server_version = copy.server_version
            Drill(copy, self.plan, self.environment.policy, self.lineage, self.result).carry_out()
        self._require_time()

    def _require_time(self) -> None:
        """What is predicted to take longer than the runner allows would fail after all."""
        policy = self.environment.policy
        for one, done in zip(described(self.result, self.live), self.result.measured, strict=True):
            name = "long_statement_timeout_seconds" if done.online else "statement_timeout_seconds"
            limit = getattr(policy, name)
            if one.predicted_seconds is not None and one.predicted_seconds > limit:
                raise Failed(
                    f"statement {one.number} of {one.revision} is predicted to take "
                    f"{one.predicted_seconds:.0f} s in {self.environment.name}, and {name} ends "
                    f"it after {limit:g} s"
                )

    def _look_at_live(self) -> Live:
        try:
            return read_live(self.environment.require_url(), APPLICATION_NAME)
        except PostgresError as error:
            logger.warning("without the sizes of live tables nothing is predicted: %s", error)
            return Live()

    def certificate(self, outcome: Any, reason: str | None) -> Rehearsal:  # noqa: ANN401 - checked by the model
        """What is written down."""
        statements = described(self.result, self.live)
        ran = self.result.waits is not None
        waits = self.result.waits or ()
        passed = outcome == "passed"
        return Rehearsal(
            id=new_id(self.started_at),
            environment=self.environment.name,
            outcome=outcome,
            reason=reason,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            operator=self.operator,
            backup_id=self.restored,
            server_version=self.server_version,
            from_revision=self.plan.current,
            to_revision=self.plan.head,
            files=self.plan.files,
            sql_sha256=self.plan.sql_sha256,
            statements=statements,
            round_trip=self.result.round_trip,
            round_trip_detail=self.result.round_trip_detail,
            predicted_seconds=total(one.predicted_seconds for one in statements)
            if passed
            else None,
            longest_read_seconds=longest(waits, "read") if ran else None,
            longest_write_seconds=longest(waits, "write") if ran else None,
            fingerprint_before=self.result.fingerprint_before,
            fingerprint_after=self.result.fingerprint_after,
        )


def _ignore(_done: int) -> None:
    """Nobody looks."""
