"""A developer's database made anew: shown first, built beside the old one, and swapped in.

The new one is migrated and filled under another name. Until it is whole nothing of the old one is
touched, so whatever interrupts a reset leaves the database as it was.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import MigrationError, UsageError
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.lineage import BOUNTY, OPS
from bounty_ops.migrating.push import is_local
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.postgres.preflight import refuse_pooler_address
from bounty_ops.restore.target import maintenance_connection
from bounty_ops.restore.target_state import TargetState, read_state
from bounty_ops.seeding import DEFAULT_SEED, plan_rows

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl, Environment
    from bounty_ops.restore.beside import Beside

#: Resets and restores tell what they left by it: no backup has an empty id.
NO_BACKUP: Final = ""


@dataclass(frozen=True)
class ResetPlan:
    """What a reset would delete, and what would be there instead."""

    environment: str
    target: str
    """``host:port/database``"""
    database: str
    state: TargetState
    """All that is there now, with whoever is connected."""
    revision: str | None
    head: str
    rows: int | None
    """How many rows of sample data there will be; None: no data."""
    seed: int

    @property
    def unfinished(self) -> Beside | None:
        """An earlier reset that was killed between the two renames at its end."""
        return next((one for one in self.state.beside if one.stage == "swapping"), None)

    @property
    def needs_digest(self) -> bool:
        """Whether something is lost or somebody disturbed, so that it has to be agreed to."""
        return not self.state.empty or bool(self.state.sessions) or self.unfinished is not None

    @property
    def digest(self) -> str:
        """SHA-256 over the database, what it holds (large tables with two digits), and the wish."""
        told = [
            self.environment, self.target, self.state.content(), self.revision, self.head,
            self.rows, self.seed, self.unfinished.name if self.unfinished else "",
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def plan_reset(
    environment: Environment, *, rows: int | None, seed: int = DEFAULT_SEED
) -> ResetPlan:
    """Look at what a reset would delete; changes nothing.

    Args:
        environment: whose database.
        rows: of sample data, over all tables together; None: the tables stay empty.
        seed: decides the rows.

    Raises:
        UsageError: the environment is protected, its database is not on this machine or is no
            database of Bounty's, or the rows are too few.
        ConfigurationError: the environment is unconfigured.
        MigrationError: no database can be made beside it, or a restore into it was broken off.
        PostgresError: the server cannot be reached, or refused.
    """
    url = environment.require_url()
    _require_allowed(environment, url)
    if rows is not None:
        plan_rows(rows)
    _require_loopback(url)
    state = read_state(url)
    plan = ResetPlan(
        environment=environment.name,
        target=url.address(),
        database=url.database,
        state=state,
        revision=_revision(url) if state.reachable else None,
        head=revisions_of(BOUNTY).head,
        rows=rows,
        seed=seed,
    )
    _require_possible(plan)
    return plan


def require_permission(plan: ResetPlan, digest: str | None) -> None:
    """Whether a plan may be carried out with this digest, or with none.

    Raises:
        MigrationError: the digest is another plan's.
        UsageError: something would be lost, and nobody has agreed to it.
    """
    if digest is not None and digest != plan.digest:
        raise MigrationError(
            f"what a reset of {plan.environment} would delete now has another digest; nothing "
            "was changed",
            hint="Something was written since, or the digest is mistyped. Look again: "
            f"bounty-ops db reset -e {plan.environment}",
        )
    if digest is None and plan.needs_digest:
        raise UsageError(
            f"{plan.target} ({plan.environment}) is in use or not empty; nothing was changed",
            hint=f"To delete what it holds, repeat the command with --apply {plan.digest}",
        )


def _require_allowed(environment: Environment, url: DatabaseUrl) -> None:
    if environment.policy.protected:
        raise UsageError(
            f"environment {environment.name} is protected: it is never reset",
            hint="Resetting is for development. Choose another environment with -e.",
        )
    if not is_local(url.host, dict(url.parameters).get("hostaddr")):
        raise UsageError(
            f"{url.address()} ({environment.name}) is not on this machine: a reset is for a "
            "developer's own database",
            hint="To fill it with a copy of another environment: bounty-ops db refresh.",
        )
    refuse_pooler_address(url, MigrationError)


def _require_loopback(url: DatabaseUrl) -> None:
    """A variable such as PGHOSTADDR may lead elsewhere than the URL says."""
    with maintenance_connection(url) as connection:
        reached = connection.info.hostaddr
    if reached and not is_local(reached):
        raise UsageError(
            f"{url.address()} leads to {reached}, which is not this machine",
            hint="Unset PGHOSTADDR.",
        )


def _revision(url: DatabaseUrl) -> str | None:
    facts = read_facts(url, OPS)
    ours = [name for name in facts.existing_tables if name not in BOUNTY.table_names()]
    if ours or (facts.revision is not None and OPS.owns(facts.revision)):
        raise UsageError(
            f"{url.address()} is the operations database: it is never reset",
            hint="DATABASE_URL and OPS_DATABASE_URL must name two different databases.",
        )
    return facts.revision


def _require_possible(plan: ResetPlan) -> None:
    unfinished, state = plan.unfinished, plan.state
    if unfinished is not None and unfinished.backup_id != NO_BACKUP:
        raise MigrationError(
            f"a restore into {plan.target} was broken off at its very end",
            hint="Finish it first: repeat the same bounty-ops backup restore.",
        )
    if unfinished is None and state.exists and not state.reachable:
        raise MigrationError(
            f"{plan.target} admits no connections, so nobody can say what would be deleted",
            hint=f"ALTER DATABASE {plan.database} ALLOW_CONNECTIONS true, as its owner.",
        )
    if state.why_not_beside is not None:
        raise MigrationError(
            f"no new database can be made beside {plan.target}: {state.why_not_beside}",
            hint="Give the role that right, as an administrator: ALTER ROLE ... CREATEDB.",
        )
