"""Indexing a record in the operations database, which is no reason to fail when it cannot be."""

from collections.abc import Callable

import dagster as dg
from sqlalchemy import Engine

from bounty_ops.defs.workplace import Workplace
from bounty_ops.errors import BountyOpsError


def catalogued(
    log: dg.DagsterLogManager, place: Workplace, index: Callable[[Engine], object]
) -> str:
    """Index a record that the bucket already has, and say for the metadata whether it worked.

    The bucket is the truth and the catalogue a convenience: if the operations database is away at
    night, the backup that was just taken must still be verified.
    """
    try:
        with place.operations() as engine:
            index(engine)
    except BountyOpsError as error:
        told = place.secrets.hide(f"not indexed, the bucket has it: {error} ({error.hint})")
        log.warning(told)
        return told
    return "indexed"
