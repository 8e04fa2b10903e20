"""Write into the operations database what a command did, without letting it fail the command.

The bucket holds the truth; the catalogue is an index of it, and can be built again from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.cli.console import warn
from bounty_ops.embedded import stand_in
from bounty_ops.errors import BountyOpsError
from bounty_ops.migrating import migrate_ops
from bounty_ops.postgres.connect import engine, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from bounty_ops.cli.invocation import Invocation
    from bounty_ops.environments import Settings


def note(
    invocation: Invocation, settings: Settings, what: str, write: Callable[[Engine], object]
) -> bool:
    """Let `write` write into the operations database; a warning says when it could not."""
    try:
        with stand_in(settings, database=False, ops=True, bucket=False) as complete:
            invocation.redaction.learn(complete)
            url = complete.require_ops_url()
            migrate_ops(url)
            with translated(url):
                write(engine(url, application_name="bounty-ops catalogue"))
    except BountyOpsError as error:
        warn(
            invocation.redaction.apply(
                f"{what} did not reach the operations database: {error}. {error.hint}"
            )
        )
        return False
    return True
