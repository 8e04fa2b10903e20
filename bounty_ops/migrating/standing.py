"""Where an environment stands with its migrations, put together for people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bounty_ops.errors import BountyOpsError
from bounty_ops.journal import Journal
from bounty_ops.migrating.gate import Gate, brief
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.live import schema_fingerprint
from bounty_ops.migrating.plan import current_revision, plan_migration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.environments import Environment, Settings
    from bounty_ops.journal.evidence import MigrationEvidence
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.object_store import ObjectStore

Drift = Literal["yes", "no", "unknown"]


@dataclass(frozen=True)
class Standing:
    """One environment; None is "not known", and `problem` says why."""

    environment: str
    configured: bool
    protected: bool
    reachable: bool = False
    problem: str | None = None
    hint: str | None = None
    revision: str | None = None
    head: str | None = None
    pending: tuple[str, ...] | None = None
    drift: Drift = "unknown"
    digest: str | None = None
    """Of the plan for what is pending."""
    gates: tuple[Gate, ...] = ()
    """Empty where nothing is pending."""
    ready: bool = False
    last: MigrationEvidence | None = None
    """The newest migration that did something, or failed to."""
    bucket_problem: str | None = None


def standing(
    environment: Environment,
    settings: Settings,
    store: ObjectStore | BountyOpsError,
    *,
    operator: str,
    lineage: Lineage = BOUNTY,
) -> Standing:
    """Look at one environment; what cannot be found out is said, and nothing is raised."""
    found = Standing(environment.name, environment.configured, environment.policy.protected)
    records, problem = _records(environment, store)
    last = next((one for one in records if one.outcome != "nothing_to_do"), None)
    found = replace(found, last=last, bucket_problem=problem)
    try:
        current = current_revision(environment, lineage)
        found = replace(
            found,
            reachable=True,
            revision=current.revision,
            head=current.head,
            pending=current.pending,
        )
        fingerprint = schema_fingerprint(environment.require_url())
        found = replace(found, drift=drifted(records, current.revision, fingerprint))
        if not current.pending:
            return found
        plan = plan_migration(environment, lineage)
        briefing = brief(
            environment, settings, store, operator=operator, plan=plan, lineage=lineage
        )
    except BountyOpsError as error:
        return replace(found, problem=str(error), hint=error.hint)
    return replace(found, digest=plan.digest, gates=briefing.gates, ready=briefing.ready)


def drifted(records: Sequence[MigrationEvidence], revision: str | None, fingerprint: str) -> Drift:
    """Whether a schema is no longer what the last migration left, by its record; newest first.

    This costs one look. What exactly differs, and whether the migrations themselves made what the
    models say, is told by a comparison with a database made for it (`bounty_ops.migrating.drift`).
    """
    left = next((one for one in records if one.outcome != "nothing_to_do"), None)
    if left is None or left.to_revision != revision or left.fingerprint_after is None:
        return "unknown"
    return "no" if left.fingerprint_after == fingerprint else "yes"


def _records(
    environment: Environment, store: ObjectStore | BountyOpsError
) -> tuple[Sequence[MigrationEvidence], str | None]:
    if isinstance(store, BountyOpsError):
        return (), f"{store}. {store.hint}"
    try:
        return Journal(store).migrations(environment.name), None
    except BountyOpsError as error:
        return (), f"{error}. {error.hint}"
