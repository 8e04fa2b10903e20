"""Servers besides those of the environments: for the operations, for drills, and given ones.

The first two may be none that an environment uses; what is wrong is returned beside the address,
because nothing here raises for a wrong setting (see `bounty_ops.environments.loading`).

They all hold what is the environments', or are about to: as much has to be certain of them as of
the environment that asks for most, unless their own URL says a sslmode. They have no table in
bounty_ops.toml to say it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bounty_ops.environments.tls import insisted, strictest
from bounty_ops.environments.url import DatabaseUrl
from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.environments.model import Environment


def ops_server(
    merged: Mapping[str, str], environments: Mapping[str, Environment]
) -> tuple[DatabaseUrl | None, ConfigurationError | None]:
    """The operations database, or why it cannot be used."""
    text = merged.get("OPS_DATABASE_URL", "").strip()
    if not text:
        return None, None
    try:
        url = _certain(DatabaseUrl.parse(text), merged, environments)
    except ConfigurationError as error:
        return None, ConfigurationError(f"OPS_DATABASE_URL: {error}", hint=error.hint)
    for environment in environments.values():
        target = environment.url
        if target and (target.host, target.port, target.database) == (
            url.host,
            url.port,
            url.database,
        ):
            return None, ConfigurationError(
                f"OPS_DATABASE_URL is the database of {environment.name}",
                hint="Give the operations a database of their own: what watches a database must "
                "not be lost with it.",
            )
    return url, None


def drill_server(
    merged: Mapping[str, str],
    environments: Mapping[str, Environment],
    ops_url: DatabaseUrl | None,
) -> tuple[DatabaseUrl | None, ConfigurationError | None]:
    """The server given for drills, or why it cannot be used."""
    text = merged.get("VERIFY_SERVER_URL", "").strip()
    if not text:
        return None, None
    try:
        url = _certain(DatabaseUrl.parse(text), merged, environments)
    except ConfigurationError as error:
        return None, ConfigurationError(f"VERIFY_SERVER_URL: {error}", hint=error.hint)
    in_use = {name: one.url for name, one in environments.items()} | {"the operations": ops_url}
    for name, other in in_use.items():
        if other and (other.host, other.port) == (url.host, url.port):
            return None, ConfigurationError(
                f"VERIFY_SERVER_URL is the server of {name}",
                hint="A drill runs code of the backup and may fill the disk: name a server that "
                "holds nothing else, or none (drills then make throw-away servers here).",
            )
    return url, None


def given_server(url: DatabaseUrl, environments: Mapping[str, Environment]) -> DatabaseUrl:
    """The URL that somebody gave a command, with a sslmode if it says none."""
    return _certain(url, os.environ, environments)


def _certain(
    url: DatabaseUrl, merged: Mapping[str, str], environments: Mapping[str, Environment]
) -> DatabaseUrl:
    if "sslmode" in dict(url.parameters):
        return url
    return insisted(url, strictest(each.policy.tls for each in environments.values()), merged)
