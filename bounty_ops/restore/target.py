"""The place where a backup is to be restored, and the database beside it to work from."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.environments import DatabaseUrl
from bounty_ops.environments.servers import given_server
from bounty_ops.environments.tls import insisted
from bounty_ops.errors import AuthenticationFailed, InsufficientPrivilege, PostgresError
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.environments import Settings

    Connection = psycopg.Connection[TupleRow]

APPLICATION_NAME: Final = "bounty-ops restore"
#: Databases that servers have besides those of applications; one of them is worked from.
_MAINTENANCE: Final = ("postgres", "defaultdb", "template1")


@dataclass(frozen=True)
class Target:
    """Where to restore to."""

    url: DatabaseUrl
    name: str
    """The environment, or the address where it is none of ours."""
    environment: str | None
    protected: bool


def choose_target(settings: Settings, text: str) -> Target:
    """The target that somebody named: an environment, or a URL.

    A URL that leads to the database of an environment is that environment, protection included, and
    the least that has to be certain of its server. Any other is held to what the strictest
    environment asks for, unless it says a sslmode: rows of that one may be about to go there.

    Raises:
        ConfigurationError: there is no such environment, it is unconfigured, or the URL is wrong.
    """
    if "://" not in text:
        environment = settings.environment(text)
        return Target(
            environment.require_url(),
            environment.name,
            environment.name,
            environment.policy.protected,
        )
    url = DatabaseUrl.parse(text)
    same = [one for one in settings.environments.values() if one.url and _same(one.url, url)]
    if not same:
        url = given_server(url, settings.environments)
        return Target(url, url.address(), None, protected=False)
    protected = [one for one in same if one.policy.protected]
    chosen = (protected or same)[0]
    url = insisted(url, chosen.policy.tls)
    return Target(url, chosen.name, chosen.name, bool(protected))


def _same(one: DatabaseUrl, other: DatabaseUrl) -> bool:
    return (one.host.lower(), one.port, one.database) == (
        other.host.lower(),
        other.port,
        other.database,
    )


@contextmanager
def maintenance_connection(url: DatabaseUrl, name: str | None = None) -> Iterator[Connection]:
    """A connection to a database of the same server that is not the target.

    Raises:
        PostgresError: the server does not answer, or lets this role into no such database.
    """
    names = [one for one in _MAINTENANCE if one != url.database] if name is None else [name]
    for position, candidate in enumerate(names, start=1):
        beside = url.with_database(candidate)
        try:
            with connect(beside, application_name=APPLICATION_NAME) as probe:
                probe.execute("SELECT 1")
        except (AuthenticationFailed, InsufficientPrivilege):
            if position == len(names):
                raise
            continue
        except PostgresError as error:
            if position == len(names) or "does not exist" not in str(error):
                raise
            continue
        with connect(beside, application_name=APPLICATION_NAME) as connection:
            yield connection
        return
