"""How certain a connection has to be of whom it leads to, and by which certificates it tells.

A protected environment verifies its server unless its owner wrote down that it does not: see
docs/decisions/0154. Everything here is decided from the URL before anything connects, so that
psycopg, SQLAlchemy and PostgreSQL's own programs are told the same.
"""

from __future__ import annotations

import dataclasses
import os
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bounty_ops.environments.url import DatabaseUrl

#: The least that a connection has to be certain of; `as_written`: what the URL says, no more.
Tls = Literal["verify-full", "verify-ca", "require", "as_written"]

#: libpq's modes, weakest first (PostgreSQL documentation, "Protection Provided in Different
#: Modes").
_STRENGTH: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_LEAST: Final[tuple[Tls, ...]] = ("as_written", "require", "verify-ca", "verify-full")
#: What libpq calls the certificates that this machine trusts.
SYSTEM: Final = "system"
#: Where systems keep those in one file, for a Python whose OpenSSL was built to look elsewhere:
#: Debian and Alpine, the RHEL family, SUSE, macOS and the BSDs.
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def by_former_name(values: dict[str, object]) -> dict[str, object]:
    """The fields of a policy with `tls` for `require_tls`, which it was before it could say more.

    Raises ValueError, which pydantic expects, for anything but true and false.
    """
    if "require_tls" not in values:
        return values
    rest = {name: value for name, value in values.items() if name != "require_tls"}
    if not isinstance(values["require_tls"], bool):
        message = "require_tls is true or false; `tls` is its new name and says more"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns this one into its own
    required: Tls = "verify-full" if values.get("protected") else "require"
    rest.setdefault("tls", required if values["require_tls"] else "as_written")
    return rest


def stays_here(url: DatabaseUrl) -> bool:
    """Whether the server is reached without a network: over a Unix socket or the loopback."""
    host = dict(url.parameters).get("hostaddr", url.host)
    return host.startswith("/") or is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own, as far as it says so itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def insisted(
    url: DatabaseUrl, least: Tls, variables: Mapping[str, str] | None = None
) -> DatabaseUrl:
    """The same URL with a sslmode that is not below `least`, which needs no network stays as it is.

    Providers hand out `sslmode=require`, which encrypts and looks at nobody's certificate; whoever
    pasted that has not decided anything. `disable` is a decision, and contradicts.

    Args:
        url: as it was written.
        least: what the environment's policy asks for.
        variables: where libpq's own PGSSLMODE may stand; by default this process's.

    Raises:
        ConfigurationError: the URL says sslmode=disable.
    """
    if least == "as_written" or stays_here(url):
        return url
    given = dict(url.parameters)
    preset = (os.environ if variables is None else variables).get("PGSSLMODE", "")
    mode = given.get("sslmode") or (preset if preset in _STRENGTH else "prefer")
    if mode == "disable":
        written = "sslmode=disable" if given.get("sslmode") else "PGSSLMODE=disable"
        place = "URL" if given.get("sslmode") else "variables"
        raise ConfigurationError(
            f"{url.address()} is to be reached without TLS ({written}), and the policy asks "
            f"for {least}",
            hint=f"Take {written} out of the {place} ({least} is the default then); or, where "
            'nobody can listen in between, write tls = "as_written" for this environment into '
            "bounty_ops.toml.",
        )
    wanted = max(mode, least, key=_STRENGTH.index)
    if given.get("sslmode") == wanted:
        return url
    return dataclasses.replace(
        url,
        parameters=tuple(sorted({**given, "sslmode": wanted}.items())),
        raised_from=given.get("sslmode", "none"),
    )


def strictest(each: Iterable[Tls]) -> Tls:
    """The one that asks for most."""
    return max(each, key=_LEAST.index, default="as_written")


def root_certificate(parameters: Mapping[str, str]) -> str:
    """What the server's certificate is verified with: `system`, or the path of a file.

    As libpq chooses it, with one thing added: it would give up where verify-full is asked for and
    nobody named a file, and ~/.postgresql/root.crt is not there. The system's are meant then.
    """
    named = parameters.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    if named:
        return named
    usual = Path("~/.postgresql/root.crt").expanduser()
    mode = parameters.get("sslmode") or os.environ.get("PGSSLMODE")
    return SYSTEM if mode == "verify-full" and not usual.is_file() else str(usual)


def system_bundle() -> str | None:
    """The file of the certificates that this machine trusts, if it keeps them in one.

    libpq knows `system` from version 16 on only, and the OpenSSL of a wheel (psycopg's) looks for
    them in a directory of its own that does not exist. A file is understood by all.
    """
    usual = ssl.get_default_verify_paths()  # SSL_CERT_FILE comes first in it
    for path in (usual.cafile, usual.openssl_cafile, *_BUNDLES):
        if path and Path(path).is_file():
            return path
    return None


def for_libpq(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters as every libpq understands them, whatever its version and its OpenSSL."""
    if root_certificate(parameters) != SYSTEM:
        return dict(parameters)
    # libpq refuses `system` with any mode below; with a file it would do as it is told.
    return {
        **parameters,
        "sslmode": "verify-full",
        "sslrootcert": system_bundle() or SYSTEM,
    }
