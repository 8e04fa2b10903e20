"""A database that is named by its URL instead of by an environment."""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from bounty_ops.cli.console import warn
from bounty_ops.cli.session import read_settings, servers
from bounty_ops.environments import DatabaseUrl
from bounty_ops.environments.servers import given_server
from bounty_ops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.cli.invocation import Invocation
    from bounty_ops.environments import Settings

#: The help of the option, wherever it is offered.
DATABASE_URL_HELP: Final = (
    "Any database instead of an environment's: the name of a variable that holds its URL "
    "(MY_URL or env:MY_URL), `-` to read the URL from standard input, or the URL itself (a "
    "password in it is then visible to everybody on this machine)."
)
_VARIABLE: Final = re.compile(r"(?:env:)?([A-Za-z_][A-Za-z0-9_]*)")


@contextmanager
def database_of(
    invocation: Invocation, given: str | None
) -> Iterator[tuple[Settings, DatabaseUrl, str]]:
    """Settings, the database to look at, and what to call it.

    Raises UsageError for a URL that cannot be found or read.
    """
    if given is None:
        with servers(invocation, database=True) as settings:
            environment = settings.environment(invocation.environment)
            yield settings, environment.require_url(), environment.name
        return
    settings = read_settings(invocation)
    url = given_server(_parsed(given), settings.environments)
    invocation.redaction.add(url.secrets())
    yield settings, url, url.address()


def _parsed(given: str) -> DatabaseUrl:
    if given == "-":
        return DatabaseUrl.parse(sys.stdin.readline().strip())
    variable = _VARIABLE.fullmatch(given)
    if variable is not None:
        name = variable[1]
        text = os.environ.get(name)
        if not text:
            raise UsageError(
                f"--database-url names the variable {name}, and it is not set",
                hint=f"Set {name} to the URL of the database, or give the URL itself.",
            )
        return DatabaseUrl.parse(text)
    url = DatabaseUrl.parse(given)
    if url.password is not None:
        warn(
            "a password in an argument can be read by everybody on this machine; "
            "--database-url takes the name of a variable too"
        )
    return url
