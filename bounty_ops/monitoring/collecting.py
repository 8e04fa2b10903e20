"""One round of measurements: one connection, read only, never in anybody's way."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import errors

from bounty_ops.errors import UsageError
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.probe import open_probe
from bounty_ops.monitoring.result import CollectionResult, FamilyResult, Unknown
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Collection

    from bounty_ops.environments import Environment
    from bounty_ops.monitoring.probe import Probe

APPLICATION_NAME: Final = "bounty-ops monitor"
STATEMENT_TIMEOUT_MS: Final = 5_000
LOCK_TIMEOUT_MS: Final = 100


def collect(
    environment: Environment, *, families: Collection[str] | None = None
) -> CollectionResult:
    """Measure the environment's database; all families, or the named ones.

    What cannot be seen or fails by itself is reported in `unknown`; it never counts as zero.

    Raises:
        UsageError: there is no such family.
        ConfigurationError: the environment is unconfigured.
        ServerUnavailable: nobody answers, or the connection was lost on the way.
        PostgresError: the server refuses the connection.
    """
    wanted = _known(families)
    url = environment.require_url()
    taken_at, begun = datetime.now(UTC), time.monotonic()
    found: dict[str, FamilyResult] = {}
    unknown: list[Unknown] = []
    with connect(
        url,
        application_name=APPLICATION_NAME,
        read_only=True,
        statement_timeout_ms=STATEMENT_TIMEOUT_MS,
        lock_timeout_ms=LOCK_TIMEOUT_MS,
    ) as connection:
        probe = open_probe(connection, environment.policy)
        for name in wanted:
            _collect_family(probe, name, found, unknown)
    return CollectionResult(
        environment=environment.name,
        taken_at=taken_at,
        seconds=round(time.monotonic() - begun, 6),
        families=found,
        unknown=tuple(unknown),
    )


def _known(families: Collection[str] | None) -> list[str]:
    strangers = set(families or ()) - FAMILIES.keys()
    if strangers:
        raise UsageError(
            f"there is no family of measurements {', '.join(sorted(strangers))}",
            hint=f"Choose from {', '.join(FAMILIES)}.",
        )
    return [name for name in FAMILIES if families is None or name in families]


def _collect_family(
    probe: Probe, name: str, found: dict[str, FamilyResult], unknown: list[Unknown]
) -> None:
    _, collector = FAMILIES[name]
    try:
        measured = collector(probe)
    except psycopg.Error as error:
        if probe.connection.closed:
            raise  # it is not this family: the server is gone
        unknown.append(_failed(probe, name, error))
        return
    found[name] = measured.result
    unknown.extend(measured.unknown)


def _failed(probe: Probe, family: str, error: psycopg.Error) -> Unknown:
    """Why a whole family is missing.

    The server's primary message names objects and roles, never values; details are left out.
    """
    message = error.diag.message_primary or type(error).__name__
    remedy = "Run it again with --debug, and report it with the server's version"
    if isinstance(error, errors.QueryCanceled | errors.LockNotAvailable):
        remedy = "Try again when the server is less busy"
    elif isinstance(error, errors.InsufficientPrivilege):
        remedy = f"GRANT pg_monitor TO {probe.user}"
    return Unknown(family, "everything", f"{message} (SQLSTATE {error.sqlstate})", remedy)
