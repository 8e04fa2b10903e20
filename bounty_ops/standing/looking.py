"""Asking every database, the buckets and the operations database, side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.register import incidents, looked
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal import Journal
from bounty_ops.migrating import current_revision, migrate_ops
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect, engine, translated
from bounty_ops.postgres.server import server_facts
from bounty_ops.standing.model import (
    Standing,
    Watched,
    with_backups,
    with_copies,
    with_problem,
    with_watched,
)
from bounty_ops.standing.together import together

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import Environment, Settings
    from bounty_ops.journal.records import BackupSummary

#: All that is asked has so long, however many are asked: nobody waits for the slowest one in turn.
WITHIN_SECONDS: Final = 30.0
_CONNECT_TIMEOUT_SECONDS: Final = 5
_STATEMENT_TIMEOUT_MS: Final = 5_000

_BUCKET: Final = "bucket"
_COPIES: Final = "second bucket"
_OPERATIONS: Final = "operations database"

_Answer = Standing | list["BackupSummary"] | Watched


def standings(
    settings: Settings, only: str | None = None, *, within_seconds: float = WITHIN_SECONDS
) -> list[Standing]:
    """Where every environment stands that this deployment sees, or the one named.

    An environment, a bucket or an operations database that does not answer hides nothing of the
    others, and does not delay them either. The operations database is brought to its head revision.

    Raises:
        ConfigurationError: there is no environment by that name.
    """
    chosen = [settings.environment(only)] if only else list(settings.environments.values())
    questions: dict[tuple[str, str], Callable[[], _Answer]] = {
        ("environment", each.name): _asking(each) for each in chosen
    }
    questions["store", _BUCKET] = lambda: _listed(settings, only)
    questions["store", _COPIES] = lambda: _copied(settings, only)
    questions["store", _OPERATIONS] = lambda: _watched(settings, only)
    answers = together(questions, within_seconds=within_seconds)
    now = datetime.now(UTC)
    return [_composed(settings, each, answers, now) for each in chosen]


def _asking(environment: Environment) -> Callable[[], Standing]:
    return lambda: _look(environment)


def _composed(
    settings: Settings,
    environment: Environment,
    answers: dict[tuple[str, str], _Answer | BountyOpsError],
    now: datetime,
) -> Standing:
    standing = answers["environment", environment.name]
    backups, copies = answers["store", _BUCKET], answers["store", _COPIES]
    watched = answers["store", _OPERATIONS]
    if isinstance(standing, BountyOpsError):
        standing = with_problem(_begin(environment), standing)
    assert isinstance(standing, Standing)  # noqa: S101 - as it was asked
    assert isinstance(backups, list | BountyOpsError)  # noqa: S101 - same
    assert isinstance(copies, list | BountyOpsError)  # noqa: S101 - same
    assert isinstance(watched, Watched | BountyOpsError)  # noqa: S101 - same
    standing = with_backups(standing, environment.policy, backups, now)
    second = settings.copy_object_store
    standing = with_copies(standing, None if second is None else second.location.uri(), copies)
    return with_watched(standing, watched, now)


def _begin(environment: Environment) -> Standing:
    url = environment.url
    return Standing(
        environment.name,
        environment.configured,
        environment.policy.protected,
        address=None if url is None else url.address(),
    )


def _look(environment: Environment) -> Standing:
    """What the database says; the first error ends it, and what was learned before stays."""
    standing = _begin(environment)
    try:
        url = environment.require_url()
        with connect(
            url,
            application_name="bounty-ops status",
            read_only=True,
            connect_timeout_seconds=_CONNECT_TIMEOUT_SECONDS,
            statement_timeout_ms=_STATEMENT_TIMEOUT_MS,
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
        return with_problem(standing, error)


def _listed(settings: Settings, only: str | None) -> list[BackupSummary]:
    return list(Journal(ObjectStore(settings.require_object_store())).summaries(only))


def _copied(settings: Settings, only: str | None) -> list[BackupSummary]:
    """What the second bucket holds; nothing where there is none."""
    if settings.copy_object_store is None and settings.copy_object_store_problem is None:
        return []
    return list(Journal(ObjectStore(settings.require_copy_object_store())).summaries(only))


def _watched(settings: Settings, only: str | None) -> Watched:
    url = settings.require_ops_url()
    with translated(url):
        migrate_ops(url)
        operations = engine(url, application_name="bounty-ops status")
        return Watched(incidents(operations, environment=only), looked(operations, only))
