"""One round of measurements: one connection, read only, never in anybody's way."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import psycopg

from bounty_ops.errors import UsageError
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.probe import failed, open_probe
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
        unknown.append(failed(name, "everything", error, probe.user))
        return
    found[name] = measured.result
    unknown.extend(measured.unknown)
