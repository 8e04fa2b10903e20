"""A plan with all that is known of it: what the command line and Dagster's form show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bounty_ops.migrating.gate.assessing import Assessment, assess, predicted_seconds
from bounty_ops.migrating.gate.gathering import gather
from bounty_ops.migrating.gate.permitting import refused
from bounty_ops.migrating.gate.rules import gate
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.plan import plan_migration

if TYPE_CHECKING:
    from bounty_ops.environments import Environment, Settings
    from bounty_ops.errors import BountyOpsError
    from bounty_ops.journal.evidence import Acknowledgement
    from bounty_ops.migrating.gate.values import Gate, GateFacts
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.plan import MigrationPlan, PendingRevision
    from bounty_ops.object_store import ObjectStore


@dataclass(frozen=True)
class Briefing:
    """What an operator is told before deciding, all of one moment."""

    facts: GateFacts

    @property
    def plan(self) -> MigrationPlan:
        """What would be done."""
        return self.facts.plan

    @cached_property
    def gates(self) -> tuple[Gate, ...]:
        """Every gate's answer."""
        return gate(self.facts)

    @cached_property
    def assessments(self) -> tuple[Assessment, ...]:
        """What is known of each pending revision, in their order."""
        return assess(self.facts)

    @property
    def revisions(self) -> tuple[tuple[PendingRevision, Assessment], ...]:
        """The pending revisions, each with what is known of it."""
        return tuple(zip(self.plan.pending, self.assessments, strict=True))

    @property
    def predicted_seconds(self) -> float | None:
        """How long the whole will take; None where nobody can say."""
        return predicted_seconds(self.assessments)

    @property
    def ready(self) -> bool:
        """Whether the digest is all that is missing."""
        return bool(self.plan.pending) and not refused(self.gates, but={"digest"})


def brief(
    environment: Environment,
    settings: Settings,
    store: ObjectStore | BountyOpsError | None,
    *,
    operator: str,
    given_digest: str | None = None,
    acknowledged: tuple[Acknowledgement, ...] = (),
    override: str = "",
    plan: MigrationPlan | None = None,
    lineage: Lineage = BOUNTY,
) -> Briefing:
    """Plan, and look at everything that decides about the plan; changes nothing.

    Arguments and errors are those of `gather`, and of `plan_migration` where no ``plan`` of this
    moment is given.
    """
    facts = gather(
        environment,
        settings,
        plan or plan_migration(environment, lineage),
        store,
        operator=operator,
        given_digest=given_digest,
        acknowledged=acknowledged,
        override=override,
        lineage=lineage,
    )
    return Briefing(facts)
