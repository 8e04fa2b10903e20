"""Collecting what gates look at: from the database, the bucket, and the environment before it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.objectives import usable
from bounty_ops.errors import BountyOpsError, ConfigurationError
from bounty_ops.journal import Journal
from bounty_ops.journal.permits import read_approvals, read_rehearsals
from bounty_ops.journal.records import BackupSummary, Verdict
from bounty_ops.migrating.catalog import read_catalog
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.gate.linting import lint_plan
from bounty_ops.migrating.gate.values import FirstNow, GateFacts, Records
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.live import LiveDatabase, read_live
from bounty_ops.migrating.lock import APPLICATION_NAME
from bounty_ops.migrating.plan import PendingRevision
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.migrating.runner import render_sql
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.environments import Environment, Settings
    from bounty_ops.journal.evidence import Acknowledgement
    from bounty_ops.migrating.facts import DatabaseFacts
    from bounty_ops.migrating.gate.linting import Findings
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.plan import MigrationPlan
    from bounty_ops.object_store import ObjectStore

#: Staging is looked at for a second opinion; a plan must not hang because it is away.
_PATIENCE_SECONDS: Final = 5
#: Manifests to read in search of one of the present revision.
_MOST_MANIFESTS: Final = 20

logger = logging.getLogger(__name__)


def gather(
    environment: Environment,
    settings: Settings,
    plan: MigrationPlan,
    store: ObjectStore | BountyOpsError | None,
    *,
    operator: str,
    given_digest: str | None = None,
    acknowledged: tuple[Acknowledgement, ...] = (),
    override: str = "",
    now: datetime | None = None,
    lineage: Lineage = BOUNTY,
) -> GateFacts:
    """Look at everything that the gates of this plan go by; changes nothing.

    Args:
        environment: whose database the plan is for.
        settings: where the environment that migrates first is looked up.
        plan: of this moment.
        store: the bucket, or why there is none; None where nothing in it is needed, because the
            environment is not protected.
        operator: who wants to apply the plan.
        given_digest: what the operator gave; None: nothing yet.
        acknowledged: findings of the linter that the operator accepts.
        override: why gates are to be passed although they refuse.
        now: timezone-aware; None: this moment.
        lineage: the line of migrations.

    Raises:
        ConfigurationError: the environment has no usable URL.
        PostgresError: its database cannot be asked. All else that cannot be asked shuts a gate.
    """
    moment = now or datetime.now(UTC)
    live, findings = _look(environment, plan, lineage)
    records = _records(environment, plan, store, moment)
    facts = read_facts(environment.require_url(), lineage)
    return GateFacts(
        plan=plan,
        policy=environment.policy,
        now=moment,
        operator=operator,
        live=live,
        findings=findings,
        records=records,
        behind=_behind(facts, plan, records, lineage),
        interrupted=plan.pending[:1] != () and plan.pending[0].revision in _begun(facts),
        first_now=_first_now(environment, settings, plan, lineage),
        given_digest=given_digest,
        acknowledged=acknowledged,
        override=override,
    )


def _look(
    environment: Environment, plan: MigrationPlan, lineage: Lineage
) -> tuple[LiveDatabase, Findings | BountyOpsError]:
    """What the database is like, and what the linter, who looks at it, says of the revisions."""
    with connect(
        environment.require_url(), application_name=APPLICATION_NAME, read_only=True
    ) as connection:
        live = read_live(connection)
        if not plan.pending:
            return live, {}
        return live, lint_plan(plan, lineage, connection, live.server_major)


def _records(
    environment: Environment,
    plan: MigrationPlan,
    store: ObjectStore | BountyOpsError | None,
    now: datetime,
) -> Records | BountyOpsError:
    if isinstance(store, BountyOpsError):
        return store
    if store is None:
        return ConfigurationError(
            "it was not looked at", hint="Set BACKUP_BUCKET=s3://bucket/prefix."
        )
    if not plan.pending or not environment.policy.protected:
        return Records()
    try:
        return _read(environment, plan, Journal(store), now)
    except BountyOpsError as error:
        return error


def _read(
    environment: Environment, plan: MigrationPlan, journal: Journal, now: datetime
) -> Records:
    name, first = environment.name, environment.policy.migrate_first_on
    backups = journal.summaries(name)
    return Records(
        backups=tuple(backups),
        revisions=_revisions(journal, environment, plan, usable(backups, now), now),
        migrations=tuple(journal.migrations(name)),
        first=tuple(journal.migrations(first)) if first not in {"", name} else (),
        rehearsals=tuple(read_rehearsals(journal.store, name)),
        approvals=tuple(read_approvals(journal.store, name)),
    )


def _revisions(
    journal: Journal,
    environment: Environment,
    plan: MigrationPlan,
    backups: Sequence[BackupSummary],
    now: datetime,
) -> dict[str, str | None]:
    """The revisions of the backups that could do, newest first, up to the first that does."""
    oldest = now - timedelta(hours=environment.policy.migrate_backup_max_age_hours)
    found: dict[str, str | None] = {}
    candidates = [
        one for one in backups if one.verdict is Verdict.PROVED and one.taken_at >= oldest
    ]
    for one in candidates[:_MOST_MANIFESTS]:
        try:
            found[one.id] = journal.read_manifest(one.environment, one.id).revision
        except BountyOpsError as error:
            logger.warning("a backup is left out: %s", error)
            continue
        if found[one.id] == plan.current:
            break
    return found


def _begun(facts: DatabaseFacts) -> set[str]:
    return {one.revision for one in facts.begun}


def _behind(
    facts: DatabaseFacts,
    plan: MigrationPlan,
    records: Records | BountyOpsError,
    lineage: Lineage,
) -> tuple[PendingRevision, ...]:
    """As many of the last revisions, as applied, as a rehearsal that began earlier has had."""
    if isinstance(records, BountyOpsError):
        return ()
    longest = max((len(one.files) for one in records.rehearsals), default=0) - len(plan.files)
    revisions = revisions_of(lineage)
    known = [one.id for one in revisions.order]
    if longest <= 0 or plan.current not in known:
        return ()
    applied = {one.revision: one.sha256 for one in facts.applied}
    upto = known.index(plan.current) + 1
    return tuple(
        PendingRevision(
            step.id,
            step.message,
            render_sql(revisions.directory, step.previous, step.id),
            applied.get(step.id, ""),
        )
        for step in revisions.order[max(0, upto - longest) : upto]
    )


def _first_now(
    environment: Environment, settings: Settings, plan: MigrationPlan, lineage: Lineage
) -> FirstNow | None:
    """Where the environment that migrates first stands, if it can be asked from here."""
    name = environment.policy.migrate_first_on
    first = settings.environments.get(name)
    asked = environment.policy.protected and plan.pending and name != environment.name
    if not asked or first is None or not first.configured:
        return None
    url = first.require_url()
    try:
        facts = read_facts(url, lineage)
        with connect(
            url,
            application_name=APPLICATION_NAME,
            read_only=True,
            connect_timeout_seconds=_PATIENCE_SECONDS,
        ) as connection:
            fingerprint = read_catalog(connection).fingerprint
        known = {one.id for one in revisions_of(lineage).order}
    except BountyOpsError as error:
        logger.warning("%s was not asked where it stands: %s", name, error)
        return None
    return FirstNow(facts.revision, facts.revision is None or facts.revision in known, fingerprint)
