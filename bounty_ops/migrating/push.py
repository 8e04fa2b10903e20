"""A development database made equal to the models, without a migration file."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import MigrationError, UsageError
from bounty_ops.migrating.catalog import read_catalog
from bounty_ops.migrating.drift import differences, expected_catalog
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.generate.losing import what_is_lost
from bounty_ops.migrating.generate.statements import is_new_label
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.lock import migration_lock
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, Environment
    from bounty_ops.migrating.catalog import Catalog
    from bounty_ops.migrating.drift import Difference
    from bounty_ops.migrating.lineage import Lineage

_APPLICATION: Final = "bounty-ops push"
_LOCK_TIMEOUT_MS: Final = 5_000
_LOCAL_NAMES: Final = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


@dataclass(frozen=True)
class PushPlan:
    """What would be done to a development database."""

    environment: str
    target: str
    """``host:port/database``"""
    differences: tuple[Difference, ...]
    losses: tuple[str, ...]
    """What data would be lost, a sentence each."""

    @property
    def statements(self) -> tuple[str, ...]:
        """All statements in the order in which they run."""
        return tuple(sql for each in self.differences for sql in each.sql)


def is_local(host: str, hostaddr: str | None = None) -> bool:
    """Whether an address is this machine's: a socket, or the loopback interface.

    With several hosts all of them have to be. A name that a resolver would have to be asked for
    is not local, whatever it resolves to today.
    """
    places = [*host.split(","), *(hostaddr.split(",") if hostaddr else ())]
    return all(map(_is_loopback, places))


def _is_loopback(place: str) -> bool:
    if place.startswith(("/", "@")) or place.lower() in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(place.strip("[]")).is_loopback
    except ValueError:
        return False


def why_refused(
    *, environment: str, protected: bool, url: DatabaseUrl, revision: str | None
) -> UsageError | None:
    """Why a database must not be pushed to; None when it may.

    Args:
        environment: what the database is called.
        protected: whether its policy protects it.
        url: where it is.
        revision: what Alembic's version table says.
    """
    target = url.address()
    if protected:
        return UsageError(
            f"environment {environment} is protected: it changes by migrations only",
            hint="Write a revision: bounty-ops db generate -m '...'.",
        )
    if not is_local(url.host, dict(url.parameters).get("hostaddr")):
        return UsageError(
            f"{target} ({environment}) is not on this machine: push is for a developer's own "
            "database",
            hint="Write a revision: bounty-ops db generate -m '...'.",
        )
    if revision is not None:
        return UsageError(
            f"{target} ({environment}) is managed by migrations (it is at {revision}); pushing to "
            "it would make that a lie",
            hint="Write a revision (bounty-ops db generate -m '...') and apply it "
            "(bounty-ops db migrate), or push to an empty database.",
        )
    return None


def plan_push(
    environment: Environment,
    *,
    lineage: Lineage = BOUNTY,
    state_dir: Path | None = None,
    server: DatabaseUrl | None = None,
) -> PushPlan:
    """Compare a development database with the models; changes nothing.

    Raises UsageError for a database that must not be pushed to, ConfigurationError, PostgresError
    and MigrationError.
    """
    url = environment.require_url()
    _require_allowed(environment, url, revision=None)  # before anybody is asked
    revision = read_facts(url, lineage).revision
    _require_allowed(environment, url, revision)
    found = _read(url)
    expected = expected_catalog(
        found.major, "models", state_dir=state_dir, server=server, lineage=lineage
    )
    told = differences(expected, found)
    losses = what_is_lost([sql for each in told for sql in each.sql], found)
    return PushPlan(environment.name, url.address(), told, losses)


def push(
    plan: PushPlan,
    environment: Environment,
    *,
    accept_data_loss: bool = False,
    lineage: Lineage = BOUNTY,
    state_dir: Path | None = None,
    server: DatabaseUrl | None = None,
) -> None:
    """Carry a plan out, in one transaction.

    Raises UsageError when data would be lost and nobody accepted that, MigrationError when the
    database is no longer what the plan was made for, and what `plan_push` raises.
    """
    if plan.losses and not accept_data_loss:
        raise UsageError(
            f"{plan.target}: {plan.losses[0]}"
            + (f", and {len(plan.losses) - 1} more of that kind" if len(plan.losses) > 1 else "")
            + "; nothing was changed",
            hint="Repeat the command with --accept-data-loss if that is meant.",
        )
    url = environment.require_url()
    with migration_lock(url):
        now = plan_push(environment, lineage=lineage, state_dir=state_dir, server=server)
        if now.differences != plan.differences:
            raise MigrationError(
                f"{plan.target} has changed since it was compared; nothing was changed by us",
                hint="Look again: bounty-ops db push",
            )
        _carry_out(url, plan.statements)
        left = plan_push(environment, lineage=lineage, state_dir=state_dir, server=server)
    if left.differences:
        raise MigrationError(
            f"{plan.target} is still not what the models say: {left.differences[0].sentence()}",
            hint="Report it. For now, push to an empty database.",
        )


def _require_allowed(environment: Environment, url: DatabaseUrl, revision: str | None) -> None:
    refusal = why_refused(
        environment=environment.name,
        protected=environment.policy.protected,
        url=url,
        revision=revision,
    )
    if refusal is not None:
        raise refusal


def _read(url: DatabaseUrl) -> Catalog:
    with connect(url, application_name=_APPLICATION, read_only=True) as connection:
        # A variable such as PGHOSTADDR may lead elsewhere than the URL says.
        reached = connection.info.hostaddr
        if reached and not _is_loopback(reached):
            raise UsageError(
                f"{url.address()} leads to {reached}, which is not this machine",
                hint="Unset PGHOSTADDR.",
            )
        return read_catalog(connection)


def _carry_out(url: DatabaseUrl, statements: Sequence[str]) -> None:
    # A new label can be used only after the transaction that adds it.
    labels = [sql for sql in statements if is_new_label(sql)]
    rest = [sql for sql in statements if sql not in labels]
    for together in (labels, rest):
        with connect(
            url,
            application_name=_APPLICATION,
            autocommit=False,
            lock_timeout_ms=_LOCK_TIMEOUT_MS,
        ) as connection:
            connection.execute("SET search_path TO public")
            for sql in together:
                connection.execute(sql.encode())
