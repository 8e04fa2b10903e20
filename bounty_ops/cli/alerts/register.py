"""The operations database, for commands that look at incidents or deal with them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from bounty_ops.cli.session import servers
from bounty_ops.migrating import migrate_ops
from bounty_ops.postgres.connect import engine, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from bounty_ops.cli.invocation import Invocation

#: The number of an incident or a silence: a bigint that the database hands out.
NUMBER: Final = click.IntRange(min=1, max=2**63 - 1)


@contextmanager
def operations(invocation: Invocation) -> Iterator[Engine]:
    """The operations database at its head revision; of the environment nothing is asked."""
    with servers(invocation, ops=True) as settings:
        url = settings.require_ops_url()
        with translated(url):
            migrate_ops(url)
            yield engine(url, application_name="bounty-ops alerts")
