"""`bounty-ops status`: where every environment stands, from the databases and the bucket."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bounty_ops.alerting import recovery
from bounty_ops.cli.answer_status import draw_status
from bounty_ops.cli.console import present
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal import Journal
from bounty_ops.journal.records import BackupState, Verdict
from bounty_ops.migrating import current_revision
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.server import server_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.environments import Environment, Settings
    from bounty_ops.journal.records import BackupSummary

_CONNECT_TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class LastBackup:
    """The newest backup there is."""

    id: str
    taken_at: datetime
    state: str
    size_bytes: int | None
    verdict: str


@dataclass(frozen=True)
class LastProof:
    """The newest backup that a restore proved."""

    backup_id: str
    taken_at: datetime
    verified_at: datetime | None


@dataclass(frozen=True)
class Standing:
    """Where one environment stands; None is "not known", and `problem` says why."""

    environment: str
    configured: bool
    protected: bool
    address: str | None = None
    reachable: bool = False
    problem: str | None = None
    hint: str | None = None
    server_version: str | None = None
    size_bytes: int | None = None
    revision: str | None = None
    head: str | None = None
    pending: tuple[str, ...] | None = None
    last_backup: LastBackup | None = None
    last_proof: LastProof | None = None
    rpo_seconds: float | None = None
    rpo_objective_seconds: float | None = None
    rto_seconds: float | None = None
    rto_measured_seconds: float | None = None
    rto_objective_seconds: float | None = None
    bucket_problem: str | None = None
    second_bucket: str | None = None
    last_copy: LastProof | None = None
    second_bucket_problem: str | None = None


@click.command("status", cls=Command)
@pass_invocation
def status(invocation: Invocation) -> None:
    """Show where every environment stands: revision, last backup, last proof.

    With -e, that environment only.
    """
    with servers(invocation, database=True, bucket=True) as settings, waiting("Looking"):
        standings = _standings(settings, invocation.environment)
    present(
        invocation,
        [asdict(standing) for standing in standings],
        lambda console: draw_status(console, standings),
    )


def _standings(settings: Settings, only: str | None) -> list[Standing]:
    chosen = [settings.environment(only)] if only else list(settings.environments.values())
    try:
        journal = Journal(ObjectStore(settings.require_object_store()))
        summaries = journal.summaries(only)
        bucket_problem = None
    except BountyOpsError as error:
        summaries, bucket_problem = [], str(error)
    copies, copies_problem = _copies(settings, only)
    second = settings.copy_object_store
    return [
        replace(
            _with_backups(
                _look(environment),
                environment,
                [summary for summary in summaries if summary.environment == environment.name],
            ),
            bucket_problem=bucket_problem,
            second_bucket=None if second is None else second.location.uri(),
            last_copy=_last_proof([one for one in copies if one.environment == environment.name]),
            second_bucket_problem=copies_problem,
        )
        for environment in chosen
    ]


def _copies(settings: Settings, only: str | None) -> tuple[list[BackupSummary], str | None]:
    """What the second bucket holds, or why that is not known; without one, nothing is wrong."""
    if settings.copy_object_store is None and settings.copy_object_store_problem is None:
        return [], None
    try:
        store = ObjectStore(settings.require_copy_object_store())
        return Journal(store).summaries(only), None
    except BountyOpsError as error:
        return [], f"{error}. {error.hint}"


def _with_backups(
    standing: Standing, environment: Environment, summaries: Sequence[BackupSummary]
) -> Standing:
    found = recovery(
        summaries,
        environment.policy,
        datetime.now(UTC),
        database_bytes=standing.size_bytes,
    )
    return replace(
        standing,
        last_backup=_last_backup(summaries),
        last_proof=_last_proof(summaries),
        rpo_seconds=found.rpo_seconds,
        rpo_objective_seconds=found.rpo_objective_seconds,
        rto_seconds=found.rto_seconds,
        rto_measured_seconds=found.rto_measured_seconds,
        rto_objective_seconds=found.rto_objective_seconds,
    )


def _look(environment: Environment) -> Standing:
    """What the database says; the first error ends it, and what was learned before stays."""
    standing = Standing(environment.name, environment.configured, environment.policy.protected)
    try:
        url = environment.require_url()
        standing = replace(standing, address=url.address())
        with connect(
            url,
            application_name="bounty-ops status",
            read_only=True,
            connect_timeout_seconds=_CONNECT_TIMEOUT_SECONDS,
        ) as connection:
            server = server_facts(connection)
        standing = replace(
            standing,
            reachable=True,
            server_version=server.version,
            size_bytes=server.size_bytes,
        )
        current = current_revision(environment)
        return replace(
            standing, revision=current.revision, head=current.head, pending=current.pending
        )
    except BountyOpsError as error:
        return replace(standing, problem=str(error), hint=error.hint)


def _last_backup(summaries: Sequence[BackupSummary]) -> LastBackup | None:
    if not summaries:
        return None
    newest = max(summaries, key=lambda summary: summary.taken_at)
    return LastBackup(newest.id, newest.taken_at, newest.state, newest.size_bytes, newest.verdict)


def _last_proof(summaries: Sequence[BackupSummary]) -> LastProof | None:
    proved = [
        s for s in summaries if s.verdict is Verdict.PROVED and s.state is BackupState.COMPLETE
    ]
    if not proved:
        return None
    newest = max(proved, key=lambda summary: summary.taken_at)
    return LastProof(newest.id, newest.taken_at, newest.verified_at)
