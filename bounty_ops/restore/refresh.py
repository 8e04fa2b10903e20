"""A masked copy of one environment in another: its last proved backup, never its database.

The copy is masked before it can be reached under its name. Production is never the target: not by
its name, not by its protection, and not by another address of the same database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from psycopg import sql

from bounty_ops.environments.policy import PROTECTED_NAMES
from bounty_ops.errors import BountyOpsError, RestoreError, UsageError
from bounty_ops.journal.records import BackupState, Verdict
from bounty_ops.restore.disguise import disguise
from bounty_ops.restore.masking import MaskingPlan, plan_masking
from bounty_ops.restore.outcome import Treatment, Watching
from bounty_ops.restore.plan import RestorePlan, Wishes, plan_restore, require_permission
from bounty_ops.restore.recording import Order, recorded
from bounty_ops.restore.restore import carry_out
from bounty_ops.restore.target import Target, choose_target, maintenance_connection
from bounty_ops.restore.target_state import read_state

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, Environment, Settings
    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import Manifest
    from bounty_ops.restore.outcome import Restored

_STAMP: Final = "bounty-ops: masked copy of "


@dataclass(frozen=True)
class RefreshPlan:
    """What a refresh is going to do."""

    restore: RestorePlan
    masking: MaskingPlan
    target: Target
    manifest: Manifest

    @property
    def needs_digest(self) -> bool:
        """Whether somebody has to say that they have read it."""
        return self.restore.needs_digest or bool(self.masking.reported)

    @property
    def digest(self) -> str:
        """Stands for all of it; that of the restore, which includes the masking."""
        return self.restore.digest


def plan_refresh(
    settings: Settings, target: str, source: str, journal: Journal, wishes: Wishes | None = None
) -> RefreshPlan:
    """Plan a refresh of the environment `target` from the last proved backup of `source`.

    Raises:
        UsageError: the target is production, protected, or the source itself.
        ConfigurationError: an unknown environment, or rules that cannot be applied.
        RestoreError: there is no proved backup, or it cannot be restored there.
    """
    chosen = _target(settings, target, source)
    manifest = _newest_proved(journal, source)
    masking = plan_masking(settings.require_masking(), manifest)
    wishes = replace(wishes or Wishes(), masking=masking.digest)
    plan = plan_restore(manifest, chosen, journal, wishes)
    _refuse_same_database(settings, chosen, plan, source)
    return RefreshPlan(plan, masking, chosen, manifest)


def refresh(
    plan: RefreshPlan,
    journal: Journal,
    *,
    operator: str,
    digest: str | None,
    work_dir: Path,
    identities: Sequence[str] = (),
    watching: Watching | None = None,
) -> Restored:
    """Carry a plan out, and leave a record of it in the bucket.

    What the target held before is removed if it was a masked copy itself, and kept otherwise.

    Raises:
        UsageError: the plan asks for its digest.
        BountyOpsError: it could not be done; the target is as it was.
    """
    if digest is None and plan.needs_digest:
        raise UsageError(
            f"{plan.target.name} is in use or not empty, or columns are reported; nothing was "
            "changed",
            hint=f"Read the plan; to carry it out, repeat the command with --apply {plan.digest}",
        )
    require_permission(plan.restore, digest)
    seen = watching or Watching()

    def treat(url: DatabaseUrl) -> Sequence[str]:
        return disguise(url, plan.masking, progress=seen.step)

    manifest = plan.manifest
    comment = (
        f"{_STAMP}{manifest.environment}, backup {manifest.id} of "
        f"{manifest.taken_at:%Y-%m-%d %H:%M} UTC, refreshed {datetime.now(UTC):%Y-%m-%d %H:%M} "
        f"UTC; {len(plan.masking.columns)} columns masked. Not for production"
    )

    def refreshing() -> Restored:
        done = carry_out(
            plan.restore,
            plan.target,
            manifest,
            journal,
            digest=digest,
            work_dir=work_dir,
            identities=identities,
            watching=seen,
            treatment=Treatment(treat, comment),
        )
        return _without_old_copy(plan, done)

    masked = len(plan.masking.columns)
    order = Order("refresh", operator, digest_given=digest is not None, masked_columns=masked)
    return recorded(plan.restore, plan.target, journal, order, refreshing)


def _target(settings: Settings, name: str, source: str) -> Target:
    if "://" in name:
        raise UsageError(
            "a refresh takes the name of an environment, not a URL",
            hint="Write its URL into .env.<name>, and use that name.",
        )
    environment = settings.environment(name)
    if environment.name == source:
        raise UsageError(
            f"{name} cannot be refreshed from itself",
            hint="Name another environment with --from; `backup restore` restores a backup as it "
            "is.",
        )
    if environment.name in PROTECTED_NAMES or environment.policy.protected:
        raise UsageError(
            f"{name} is {_why(environment)}: it is never the target of a refresh",
            hint="Refresh another environment; `backup restore` restores a backup as it is.",
        )
    target = choose_target(settings, name)
    for other in settings.environments.values():
        if _dear(other, source) and other.url and _address(other.url) == _address(target.url):
            raise _same(target, other.name)
    return target


def _why(environment: Environment) -> str:
    return "protected" if environment.policy.protected else "called production"


def _dear(environment: Environment, source: str) -> bool:
    return (
        environment.policy.protected
        or environment.name in PROTECTED_NAMES
        or environment.name == source
    )


def _address(url: DatabaseUrl) -> tuple[str, int, str]:
    return (url.host.lower(), url.port, url.database)


def _same(target: Target, name: str) -> UsageError:
    return UsageError(
        f"{target.name} ({target.url.address()}) is the database of {name}",
        hint=f"Correct the URL of {target.name}: a refresh would replace {name} by masked data.",
    )


def _refuse_same_database(
    settings: Settings, target: Target, plan: RestorePlan, source: str
) -> None:
    """One database may have many addresses; servers tell which cluster they are."""
    for other in settings.environments.values():
        if not _dear(other, source) or other.url is None or other.problem is not None:
            continue
        if other.url.database != target.url.database:
            continue
        try:
            there = read_state(other.url)
        except BountyOpsError:  # away or unreachable from here: its backup does not need it
            continue
        if (there.server, there.oid) == (plan.state.server, plan.state.oid):
            raise _same(target, other.name)


def _newest_proved(journal: Journal, source: str) -> Manifest:
    for summary in journal.summaries(source):
        if summary.state is BackupState.COMPLETE and summary.verdict is Verdict.PROVED:
            return journal.read_manifest(source, summary.id)
    raise RestoreError(
        f"there is no proved backup of {source}",
        hint=f"Take one: bounty-ops backup run -e {source}",
    )


def _without_old_copy(plan: RefreshPlan, done: Restored) -> Restored:
    if done.old_database is None or done.way == "finish":
        return done
    with maintenance_connection(plan.target.url, plan.restore.state.maintenance) as connection:
        row = connection.execute(
            "SELECT pg_catalog.shobj_description(oid, 'pg_database')"
            " FROM pg_catalog.pg_database WHERE datname = %s",
            [done.old_database],
        ).fetchone()
        if not row or not str(row[0]).startswith(_STAMP):
            return done
        connection.execute(
            sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(done.old_database))
        )
    note = "the masked copy that was there before is removed"
    return replace(done, old_database=None, notes=(*done.notes, note))
