"""The 37 tables, each with the function that makes its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.seeding.tables import (
    bounties,
    desk,
    earnings,
    notifications,
    organizations,
    people,
    reactions,
    sign_in,
    work,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.seeding.world import Source

SOURCES: Final[Mapping[str, Source]] = {
    **people.SOURCES,
    **sign_in.SOURCES,
    **organizations.SOURCES,
    **bounties.SOURCES,
    **work.SOURCES,
    **reactions.SOURCES,
    **earnings.SOURCES,
    **notifications.SOURCES,
    **desk.SOURCES,
}
