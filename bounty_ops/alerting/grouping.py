"""Which incidents are symptoms of another one: people hear of the cause alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.situation import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bounty_ops.alerting.situation import Severity

    Key = tuple[Rule, str]

#: Rules that look into the server, or need something that does.
_NEED_SERVER: Final = frozenset({
    Rule.MONITORING_BLIND,
    Rule.MONITORING_LATE,
    Rule.CONNECTIONS_NEAR_LIMIT,
    Rule.IDLE_IN_TRANSACTION,
    Rule.LONG_TRANSACTION,
    Rule.LONG_QUERY,
    Rule.BLOCKING,
    Rule.SLOW_QUERY_REGRESSION,
    Rule.DEADLOCKS,
    Rule.CACHE_HITS_LOW,
    Rule.TABLE_GROWTH,
    Rule.VACUUM_LAG,
    Rule.TRANSACTION_IDS,
    Rule.SEQUENCE_EXHAUSTION,
    Rule.INDEX_INVALID,
    Rule.INDEX_UNUSED,
    Rule.REPLICATION_LAG,
    Rule.REPLICATION_SLOT,
    Rule.SCHEMA_DRIFT,
    Rule.MIGRATION_FAILED,
    Rule.MIGRATION_PENDING,
    Rule.BACKUP_OVERDUE,
    Rule.PROOF_OVERDUE,
    Rule.RUN_FAILED,
})  # fmt: skip

#: What follows from what. A finding may add to it (`Finding.hides`).
HIDES: Final[Mapping[Rule, frozenset[Rule]]] = MappingProxyType({
    Rule.SERVER_UNREACHABLE: _NEED_SERVER,
    Rule.BUCKET_UNREACHABLE: frozenset({
        Rule.BACKUP_OVERDUE,
        Rule.PROOF_OVERDUE,
        Rule.COPY_OVERDUE,
        Rule.PRUNE_REFUSED,
        Rule.BACKUP_NOT_LOCKED,
        Rule.RUN_FAILED,
    }),
    Rule.OPERATIONS_UNREACHABLE: frozenset({Rule.MONITORING_LATE, Rule.RUN_FAILED}),
    # A full server is not measured further, so as not to take the last connections.
    Rule.CONNECTIONS_NEAR_LIMIT: frozenset({Rule.MONITORING_BLIND}),
    # Without a backup there is none that could be proved.
    Rule.BACKUP_OVERDUE: frozenset({Rule.PROOF_OVERDUE}),
    Rule.BACKUP_REFUTED: frozenset({Rule.PROOF_OVERDUE}),
    Rule.MIGRATION_FAILED: frozenset({Rule.MIGRATION_PENDING, Rule.SCHEMA_DRIFT}),
})  # fmt: skip


@dataclass(frozen=True)
class Open:
    """An incident that is pending or firing."""

    key: Key
    """Rule and subject."""
    severity: Severity
    hides: frozenset[Rule] = frozenset()


def causes(incidents: Sequence[Open]) -> dict[Key, Key]:
    """The cause of each incident that has one: by keys, and never a symptom itself.

    A cause that is still pending counts, so that nobody hears of the symptoms first. A cause that
    is milder than the symptom does not: it would hide what is worse.
    """
    found: dict[Key, Key] = {}
    for incident in incidents:
        above = [
            other
            for other in incidents
            if other.key != incident.key
            and incident.key[0] in HIDES.get(other.key[0], frozenset()) | other.hides
            and other.severity.rank >= incident.severity.rank
        ]
        if above:
            found[incident.key] = min(above, key=lambda each: list(Rule).index(each.key[0])).key
    return {key: _root(found, key) for key in found if _root(found, key) != key}


def _root(
    found: Mapping[tuple[Rule, str], tuple[Rule, str]], key: tuple[Rule, str]
) -> tuple[Rule, str]:
    """The end of the chain; of a ring, which no table above makes, nothing is hidden."""
    seen = {key}
    here = found[key]
    while here in found:
        if here in seen:
            return key
        seen.add(here)
        here = found[here]
    return here
