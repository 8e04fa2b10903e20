"""Reading what a restored copy holds, in the way in which the source was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.fingerprint import FORMULA, count_tables, fingerprint_tables, formula_for
from bounty_ops.postgres.inventory import read_inventory
from bounty_ops.postgres.pinned import pin_settings
from bounty_ops.postgres.sequences import read_sequences
from bounty_ops.restore.judge import Observation
from bounty_ops.restore.sandbox import APPLICATION_NAME

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest


def observe_as(manifest: Manifest, url: DatabaseUrl) -> Observation:
    """What a database holds, as far and in the way that a backup's source was read."""
    formula = formula_for(one.fingerprint for one in manifest.tables)
    return observe(url, content=manifest.compare == "content", formula=formula)


def observe(url: DatabaseUrl, *, content: bool = True, formula: str = FORMULA) -> Observation:
    """What a database holds, read in the way that the source was read.

    Args:
        url: the database.
        content: whether to read every row, instead of only counting them.
        formula: of the fingerprints that the source was read by.
    """
    with connect(url, application_name=APPLICATION_NAME) as connection:
        pin_settings(connection)
        tables = (
            fingerprint_tables(connection, formula=formula) if content else count_tables(connection)
        )
        return Observation(
            tables=tables,
            sequences=read_sequences(connection),
            inventory=read_inventory(connection),
        )
