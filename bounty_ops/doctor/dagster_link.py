"""How Dagster reaches its own storage: by psycopg2, which follows its file and libpq's variables.

Nothing of ours raises its sslmode: what an environment's policy insists on ends where Dagster opens
its connections. So it is looked at, and said.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from bounty_ops.doctor.result import CheckResult, State, ok
from bounty_ops.environments.tls import SYSTEM, stays_here, system_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl

#: Parameters of a connection, and the variables that stand in for them.
_VARIABLES: Final = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}


def as_dagster_connects(
    url: DatabaseUrl, instance: Path | None, variables: Mapping[str, str]
) -> DatabaseUrl:
    """The same storage with what Dagster's connections are told of TLS.

    Args:
        url: of the storage.
        instance: its `dagster.yaml`, whose `params` come before variables.
        variables: of Dagster's processes, as far as doctor has them too.
    """
    given = {name: variables.get(variable, "") for name, variable in _VARIABLES.items()}
    given |= dict(url.parameters) | _parameters(instance)
    if given["sslmode"].startswith("verify-") and not given["sslrootcert"]:
        # For connections of ours the system's certificates would be taken; libpq looks here alone.
        given["sslrootcert"] = str(Path("~/.postgresql/root.crt").expanduser())
    chosen = {name: value for name, value in given.items() if value}
    return dataclasses.replace(url, parameters=tuple(sorted(chosen.items())))


def _parameters(instance: Path | None) -> dict[str, str]:
    try:
        text = "" if instance is None else instance.read_text(encoding="utf-8")
        found: Any = yaml.safe_load(text)
        given = found["storage"]["postgres"]["postgres_db"]["params"]
        return {name: str(given[name]) for name in _VARIABLES if given.get(name)}
    except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError):
        return {}  # the check of the file itself says so


def judge_link(
    subject: str,
    url: DatabaseUrl,
    connection: psycopg.Connection[TupleRow],
    *,
    protected: bool,
) -> CheckResult:
    """Whether a connection like Dagster's is encrypted and verified, where it leaves this machine.

    Args:
        subject: whose check it is.
        url: as Dagster connects.
        connection: one to there.
        protected: whether an environment is; its runs, logs and metadata are kept there.
    """
    encrypted = bool(connection.pgconn.ssl_in_use)
    mode = dict(url.parameters).get("sslmode", "prefer")
    if stays_here(url):
        return ok("storage", subject, f"{url.address()}; the connection stays on this machine")
    if encrypted and mode.startswith("verify-"):
        return ok("storage", subject, f"{url.address()}, TLS, certificate verified ({mode})")
    how = (
        f"TLS, but whose certificate it is was not verified ({mode})"
        if encrypted
        else "the connection is not encrypted"
    )
    found = f"{url.address()}: {how}"
    if not protected:
        return ok("storage", subject, f"{found}; no environment is protected")
    root = system_bundle() or SYSTEM
    return CheckResult(
        "storage",
        subject,
        State.WARNING,
        found,
        "Give Dagster's processes PGSSLMODE=verify-full and PGSSLROOTCERT (a private authority's, "
        f"or {root}), or write both below storage.postgres.postgres_db.params of dagster.yaml: "
        f"sslmode: verify-full, sslrootcert: {root}.",
    )
