"""Whether this is the moment to measure: a monitor must not be what breaks a server.

Where connections are about to run out, or collections pile up because none of them ends, the next
collection leaves at once. What it did not measure is unknown, with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops.monitoring.collectors.connections import Connections, collect_connections

if TYPE_CHECKING:
    from bounty_ops.monitoring.probe import Probe

APPLICATION_NAME: Final = "bounty-ops monitor"
#: With fewer free connections than that, nothing but the connections is measured.
LEAST_FREE: Final = 5
#: So many collections of one database may run at a time.
MOST_AT_ONCE: Final = 2


class Obstacle(NamedTuple):
    """Why most of a collection is left out."""

    reason: str
    remedy: str
    #: Whether the connections may still be counted: that is what somebody needs to see now.
    counting: bool


def obstacle(probe: Probe) -> Obstacle | None:
    """Why nothing should be measured now, or None.

    Raises:
        psycopg.Error: a statement failed.
    """
    ((running,),) = probe.rows("collections_running")
    if running >= MOST_AT_ONCE:
        return Obstacle(
            f"{running} other collections of this database are still running",
            "See what they wait for: they are the sessions called "
            f'"{APPLICATION_NAME}" in pg_stat_activity',
            counting=False,
        )
    connections = collect_connections(probe).result
    assert isinstance(connections, Connections)  # noqa: S101 - it measures nothing else
    free = free_connections(connections, probe.user)
    if free < LEAST_FREE:
        return Obstacle(
            f"only {free} connections are free, and somebody may need the one that this takes",
            "Close connections or raise the limit; then everything is measured again",
            counting=True,
        )
    return None


def free_connections(connections: Connections, user: str) -> int:
    """How many more sessions this database can have before somebody is refused.

    The limit of our own role counts where others use that role too; other roles' limits cannot
    be reached by us.
    """
    ours = connections.by_application.get(APPLICATION_NAME, 0)
    shared = connections.by_user.get(user, 0) > ours
    return min(
        limit.limit - limit.used
        for limit in connections.limits
        if limit.kind != "role" or (limit.name == user and shared)
    )
