"""Planning with the bucket at hand where it is needed, for every command that shows a plan."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import waiting
from bounty_ops.embedded import stand_in
from bounty_ops.errors import BountyOpsError
from bounty_ops.migrating import plan_migration
from bounty_ops.migrating.gate import brief
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.cli.invocation import Invocation
    from bounty_ops.environments import Environment, Settings
    from bounty_ops.journal.evidence import Acknowledgement
    from bounty_ops.migrating.gate import Briefing


@dataclass(frozen=True)
class Said:
    """What the operator said about the plan."""

    digest: str | None = None
    acknowledged: tuple[Acknowledgement, ...] = ()
    override: str = ""


@dataclass(frozen=True)
class Briefed:
    """An environment, what is told of its plan, and settings that are complete for it."""

    settings: Settings
    environment: Environment
    briefing: Briefing


_NOTHING = Said()


@contextmanager
def briefed(
    invocation: Invocation, settings: Settings, said: Said = _NOTHING, *, bucket: bool = False
) -> Iterator[Briefed]:
    """The chosen environment's plan with all that is known of it, for the length of the block.

    A bucket is at hand if the environment is protected, whose gates ask it, or if ``bucket`` says
    that something is to be written there; as long as nothing is pending, nobody needs one.
    """
    environment = settings.environment(invocation.environment)
    with waiting("Planning"):
        plan = plan_migration(environment)
    needed = bool(plan.pending) and (bucket or environment.policy.protected)
    with stand_in(settings, database=False, ops=False, bucket=needed) as complete:
        invocation.redaction.learn(complete)
        with waiting("Asking the gates"):
            briefing = brief(
                environment,
                complete,
                bucket_of(complete) if needed else None,
                operator=operator_name(),
                given_digest=said.digest,
                acknowledged=said.acknowledged,
                override=said.override,
                plan=plan,
            )
        yield Briefed(complete, environment, briefing)


def bucket_of(settings: Settings) -> ObjectStore | BountyOpsError:
    """The bucket, or why there is none: a gate tells."""
    try:
        return ObjectStore(settings.require_object_store())
    except BountyOpsError as error:
        return error
