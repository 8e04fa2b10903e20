"""Reading what a restored copy holds, in the way in which the source was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.fingerprint import count_tables, fingerprint_tables
from bounty_ops.postgres.inventory import read_inventory
from bounty_ops.postgres.pinned import pin_settings
from bounty_ops.postgres.sequences import read_sequences
from bounty_ops.restore.judge import Observation
from bounty_ops.restore.sandbox import APPLICATION_NAME

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl


def observe(url: DatabaseUrl, *, content: bool = True) -> Observation:
    """What a database holds, read in the way that the source was read.

    Args:
        url: the database.
        content: whether to read every row, instead of only counting them.
    """
    with connect(url, application_name=APPLICATION_NAME) as connection:
        pin_settings(connection)
        return Observation(
            tables=(fingerprint_tables if content else count_tables)(connection),
            sequences=read_sequences(connection),
            inventory=read_inventory(connection),
        )
