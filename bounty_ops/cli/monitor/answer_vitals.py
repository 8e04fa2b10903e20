"""What `monitor collect` shows of the families that have a line or two to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.cli.console import size, span
from bounty_ops.monitoring import Activity, Database, Replication, Sequences, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.monitoring import CollectionResult


def vitals(result: CollectionResult) -> Iterator[tuple[str, str]]:
    """The name and the headline of each family that was measured; `unknown` is never a number."""
    if activity := result.family(Activity):
        yield "ACTIVITY", _activity(activity)
    if database := result.family(Database):
        yield "DATABASE", _database(database)
    if sequences := result.family(Sequences):
        yield "SEQUENCES", _sequences(sequences)
    if replication := result.family(Replication):
        yield "REPLICATION", _replication(replication)
    if settings := result.family(ServerSettings):
        waiting = f", {settings.pending_restart} wait for a restart"
        yield "SETTINGS", f"{len(settings.settings)} are not the built-in ones{waiting}"


def _activity(found: Activity) -> str:
    return (
        f"{found.blocked} blocked; longest transaction {_span(found.longest_transaction_seconds)}, "
        f"idle in transaction {_span(found.longest_idle_in_transaction_seconds)}"
    )


def _database(found: Database) -> str:
    measured = "unknown" if found.size_bytes is None else size(found.size_bytes)
    return (
        f"{measured}; oldest transaction id {found.xid_age / found.xid_limit:.1%} of the way to "
        f"the limit; {found.deadlocks} deadlocks"
    )


def _sequences(found: Sequences) -> str:
    if found.worst_ratio is None:
        return f"{found.count}, of which {found.unreadable} could not be read"
    return f"{found.count}, the fullest {found.worst_ratio:.0%} used"


def _replication(found: Replication) -> str:
    return (
        f"{len(found.standbys)} followers; {len(found.slots)} slots, {found.slots_inactive} "
        f"inactive, keep {size(found.retained_bytes)}"
    )


def _span(seconds: float | None) -> str:
    return "unknown" if seconds is None else span(seconds)
