"""One round of measurements: one connection, read only, never in anybody's way."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from bounty_ops.errors import MonitoringError, UsageError
from bounty_ops.monitoring.admission import APPLICATION_NAME, obstacle
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.collectors.connections import Connections
from bounty_ops.monitoring.probe import failed, open_probe, read_any_bytes
from bounty_ops.monitoring.result import CollectionResult, FamilyResult, Unknown
from bounty_ops.monitoring.session import settle
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.preflight import refuse_transaction_pooling

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bounty_ops.environments import Environment
    from bounty_ops.monitoring.probe import Measured, Probe


class _Measured(NamedTuple):
    """What one round found."""

    families: dict[str, FamilyResult]
    unknown: list[Unknown]
    memory: dict[str, bytes]


def collect(
    environment: Environment,
    *,
    families: Collection[str] | None = None,
    former: CollectionResult | None = None,
    memory: Mapping[str, bytes] | None = None,
) -> CollectionResult:
    """Measure the environment's database; all families, or the named ones.

    Given the `former` collection, what cannot have changed since is taken over from it. That makes
    a collection of many tables cheap; the result is the same. `memory` is what the collections
    before left to be remembered (`history.recall`): with it statements are accounted for since
    then.

    What cannot be seen or fails by itself is reported in `unknown`; it never counts as zero. So
    is all that is left out because `admission` says that it would be in the way.

    Raises:
        UsageError: there is no such family.
        ConfigurationError: the environment is unconfigured.
        ServerUnavailable: nobody answers, or the connection was lost on the way.
        PostgresError: the server refuses the connection.
        MonitoringError: a transaction pooler is in between. What a session is set to here (to be
            read only, above all) would stay behind for the application's transactions.
    """
    wanted = _known(families)
    url = environment.require_url()
    taken_at, begun = datetime.now(UTC), time.monotonic()
    with connect(url, application_name=APPLICATION_NAME) as connection:
        refuse_transaction_pooling(connection, url, MonitoringError)
        settle(connection)
        probe = open_probe(connection, environment.policy, former, memory)
        try:
            measured = _measure(probe, wanted)
        except UnicodeDecodeError:
            # Names of roles and databases have the encoding of the database that they were made in.
            read_any_bytes(connection)
            measured = _measure(open_probe(connection, environment.policy, former, memory), wanted)
    return CollectionResult(
        environment=environment.name,
        taken_at=taken_at,
        seconds=round(time.monotonic() - begun, 6),
        families=measured.families,
        unknown=tuple(measured.unknown),
        memory=measured.memory,
    )


def _measure(probe: Probe, wanted: list[str]) -> _Measured:
    round_ = _Measured({}, [], {})
    for name in _admitted(probe, wanted, round_.unknown):
        measured = _collect_family(probe, name, round_.unknown)
        if measured is not None:
            round_.families[name] = measured.result
            round_.unknown.extend(measured.unknown)
            if measured.memory is not None:
                round_.memory[name] = measured.memory
    return round_


def _known(families: Collection[str] | None) -> list[str]:
    strangers = set(families or ()) - FAMILIES.keys()
    if strangers:
        raise UsageError(
            f"there is no family of measurements {', '.join(sorted(strangers))}",
            hint=f"Choose from {', '.join(FAMILIES)}.",
        )
    return [name for name in FAMILIES if families is None or name in families]


def _admitted(probe: Probe, wanted: list[str], unknown: list[Unknown]) -> list[str]:
    """The families that may be measured now; the others are unknown."""
    hindered = obstacle(probe)
    if hindered is None:
        return wanted
    counted = [name for name in wanted if hindered.counting and name == Connections.family]
    unknown.extend(
        Unknown(name, "everything", hindered.reason, hindered.remedy)
        for name in wanted
        if name not in counted
    )
    return counted


def _collect_family(probe: Probe, name: str, unknown: list[Unknown]) -> Measured | None:
    _, collector = FAMILIES[name]
    try:
        return collector(probe)
    except psycopg.Error as error:
        if probe.connection.closed:
            raise  # it is not this family: the server is gone
        unknown.append(failed(name, "everything", error, probe.user))
        return None
