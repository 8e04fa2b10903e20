"""Who runs a database, as far as its address tells, and what that means for these operations.

A pure function from a URL to advice. Host names and limits are those of the providers' own pages,
which `docs/how-to/connect-*.md` cite with the date on which they were read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments.url import DatabaseUrl

_VERIFYING: Final = frozenset({"verify-ca", "verify-full"})
#: PgBouncer's usual port, and that of Supabase's poolers in transaction mode.
_POOLER_PORTS: Final = frozenset({6432, 6543})
_SUPABASE_DIRECT: Final = re.compile(r"db\.(?P<ref>[a-z0-9]+)\.supabase\.(co|com|red)")
_SUPABASE_POOLER: Final = re.compile(r"[a-z0-9-]+\.pooler\.supabase\.(com|co)")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Provider(StrEnum):
    """Who runs the server."""

    NEON = "Neon"
    SUPABASE = "Supabase"
    RAILWAY = "Railway"
    SELF_HOSTED = "self-hosted"


class Access(StrEnum):
    """What answers at the address."""

    DIRECT = "direct"
    SESSION_POOLER = "session pooler"
    """A server connection for the length of a session; fit for everything here."""
    TRANSACTION_POOLER = "transaction pooler"
    """A server connection for the length of a transaction; unfit for backups and migrations."""


@dataclass(frozen=True)
class Advice:
    """One thing to know or to do."""

    name: str
    found: str
    remedy: str
    problem: bool = False
    """Whether something of this URL is wrong, rather than merely worth knowing."""
    causes: tuple[str, ...] = ()
    """The diagnoses (`docs/reference/errors.md`) that it may explain."""


@dataclass(frozen=True)
class Counsel:
    """All that an address tells."""

    provider: Provider
    access: Access
    advice: tuple[Advice, ...] = ()

    @property
    def problems(self) -> tuple[Advice, ...]:
        """What is wrong with the URL."""
        return tuple(each for each in self.advice if each.problem)

    def about(self, cause: str) -> tuple[Advice, ...]:
        """What may explain a diagnosis."""
        return tuple(each for each in self.advice if cause in each.causes)


def advise(url: DatabaseUrl) -> Counsel:
    """What the address of a database tells about who runs it, and what to do about that."""
    host = url.host.lower().rstrip(".")
    if host.endswith((".neon.tech", ".neon.build")):
        return _counsel(Provider.NEON, _neon_access(host, url.port), _neon(url, host))
    if _SUPABASE_DIRECT.fullmatch(host) or _SUPABASE_POOLER.fullmatch(host):
        return _counsel(Provider.SUPABASE, _supabase_access(host, url.port), _supabase(url, host))
    if host.endswith((".rlwy.net", ".railway.internal", ".railway.app")):
        return _counsel(Provider.RAILWAY, Access.DIRECT, _railway(url, host))
    pooled = url.port in _POOLER_PORTS
    access = Access.TRANSACTION_POOLER if pooled else Access.DIRECT
    return _counsel(Provider.SELF_HOSTED, access, _own_server(url, host, pooled=pooled))


def _counsel(provider: Provider, access: Access, advice: Iterator[Advice]) -> Counsel:
    return Counsel(provider, access, tuple(advice))


def _pooled(remedy: str) -> Advice:
    return Advice(
        "pooler",
        "the address is that of a transaction pooler: a snapshot, locks and a session's settings "
        "do not survive there, so pg_dump and migrations are refused",
        remedy,
        problem=True,
        causes=("pooler_refused", "database_missing"),
    )


def _neon_access(host: str, port: int) -> Access:
    pooled = host.partition(".")[0].endswith("-pooler") or port in _POOLER_PORTS
    return Access.TRANSACTION_POOLER if pooled else Access.DIRECT


def _neon(url: DatabaseUrl, host: str) -> Iterator[Advice]:
    if _neon_access(host, url.port) is Access.TRANSACTION_POOLER:
        label, _, domain = host.partition(".")
        direct = f"{label.removesuffix('-pooler')}.{domain}"
        yield _pooled(f"Use the direct host {direct}, port 5432.")
    if url.sslmode not in _VERIFYING:
        yield Advice(
            "tls",
            f"Neon takes encrypted connections only; sslmode={url.sslmode} verifies nothing",
            "Use sslmode=verify-full: Neon's certificates are signed by a public authority.",
            problem=not url.requires_tls,
            causes=("tls_required", "access_rejected"),
        )
    yield Advice(
        "certificate",
        "its certificates are signed by a public authority",
        "Take sslrootcert out of the URL, or say sslrootcert=system.",
        causes=("root_certificate_missing", "certificate_unverified"),
    )
    yield Advice(
        "suspended compute",
        "a compute without work is suspended after some minutes and wakes with the next "
        "connection; measuring every few minutes keeps it awake, and paid for",
        "If it was suspended, try again: it wakes up with the first attempt. Set "
        "monitor_wakes = false if it is to stay suspended.",
        causes=("no_answer", "not_ready", "connection_lost", "ended_by_administrator"),
    )
    yield Advice(
        "connection limit",
        "max_connections follows from the compute's size (104 at 0.25 CU), and seven are reserved",
        "Let applications use the -pooler host, and keep the direct one for these operations.",
        causes=("too_many_connections",),
    )


def _supabase_access(host: str, port: int) -> Access:
    if port in _POOLER_PORTS:
        return Access.TRANSACTION_POOLER
    return Access.DIRECT if _SUPABASE_DIRECT.fullmatch(host) else Access.SESSION_POOLER


def _supabase(url: DatabaseUrl, host: str) -> Iterator[Advice]:
    direct = _SUPABASE_DIRECT.fullmatch(host)
    if _supabase_access(host, url.port) is Access.TRANSACTION_POOLER:
        yield _pooled("Use port 5432 of the same host, or the direct host db.REF.supabase.co.")
    role, dot, ref = url.user.partition(".")
    if direct is None and not (dot and ref):
        yield Advice(
            "role",
            "the shared pooler finds the project by the role's name, and this one names none",
            f"Write the role as {role}.REF, with the project's reference.",
            problem=True,
            causes=("pooler_refused", "password_rejected", "access_rejected"),
        )
    if direct is not None and dot and ref == direct["ref"]:
        yield Advice(
            "role",
            "at the direct host the role has no project in its name",
            f"Write the role as {role}.",
            problem=True,
            causes=("password_rejected", "access_rejected"),
        )
    if direct is not None:
        yield Advice(
            "address family",
            "the direct host has an IPv6 address only, unless the IPv4 add-on is booked",
            "Without IPv6 use the session pooler: postgres.REF at "
            "aws-N-REGION.pooler.supabase.com, port 5432.",
            causes=("host_unreachable", "host_unknown", "no_answer"),
        )
    if url.sslmode not in _VERIFYING:
        yield Advice(
            "tls",
            f"sslmode={url.sslmode} verifies nothing, and Supabase takes connections in the clear "
            "unless SSL enforcement is switched on",
            "Use sslmode=verify-full with sslrootcert=/path/to/prod-ca-2021.crt (dashboard, "
            "database settings).",
            problem=not url.requires_tls,
            causes=("tls_required", "access_rejected"),
        )
    yield Advice(
        "certificate",
        "its certificates are signed by an authority of its own",
        "Download the root certificate from the dashboard (database settings) and name it with "
        "sslrootcert=/path/to/prod-ca-2021.crt.",
        causes=("root_certificate_missing", "certificate_unverified"),
    )
    yield Advice(
        "extensions",
        "extensions live in the schema extensions, and auth, storage and realtime are Supabase's "
        "own schemas, which postgres may read in part only",
        "Give the backup's role what `bounty-ops db grants --for backup` prints.",
        causes=("permission_denied",),
    )
    yield Advice(
        "paused project",
        "a free project without use is paused, and does not wake up by itself",
        "Restore it in the dashboard if it is paused.",
        causes=("no_answer", "connection_refused", "host_unknown", "pooler_refused"),
    )
    yield Advice(
        "connection limit",
        "direct connections and the session pooler's share the limit of the compute's size",
        "Let applications use the transaction pooler (port 6543).",
        causes=("too_many_connections",),
    )


def _railway(url: DatabaseUrl, host: str) -> Iterator[Advice]:
    if host.endswith(".railway.internal"):
        yield Advice(
            "private network",
            "the address is that of the private network, which exists inside of the project only",
            "From elsewhere use DATABASE_PUBLIC_URL, whose host is a TCP proxy (*.proxy.rlwy.net).",
            causes=("host_unknown", "host_unreachable", "no_answer", "connection_refused"),
        )
    else:
        yield Advice(
            "public proxy",
            "the address is that of a TCP proxy to one server, with a port of its own",
            "See that the service runs and that the port is the proxy's, not 5432.",
            causes=("connection_refused", "not_postgresql", "connection_lost", "no_answer"),
        )
        if not url.requires_tls:
            yield Advice(
                "tls",
                f"sslmode={url.sslmode} lets passwords and rows cross the internet in the clear",
                "Use sslmode=verify-ca with the server's root certificate, or sslmode=require.",
                problem=True,
                causes=("tls_required",),
            )
    yield _railways_certificate(host, verifies_the_name=url.sslmode == "verify-full")


def _railways_certificate(host: str, *, verifies_the_name: bool) -> Advice:
    """A root of the image's own signs it, for `localhost` and the private name."""
    inside = host.endswith(".railway.internal")
    names = "this name, or with an older image for localhost only" if inside else "localhost"
    outside = (
        "Copy root.crt out of the volume and use sslmode=verify-ca&sslrootcert=/path/to/root.crt, "
        'with tls = "verify-ca" in bounty_ops.toml where the environment is protected; verify-full '
        "cannot succeed at that host name."
    )
    return Advice(
        "certificate",
        f"a root of the image's own has signed the certificate, for {names}",
        "Copy root.crt out of the volume and name it with sslrootcert=/path/to/root.crt."
        if inside
        else outside,
        problem=verifies_the_name and not inside,
        causes=("root_certificate_missing", "certificate_unverified"),
    )


def _own_server(url: DatabaseUrl, host: str, *, pooled: bool) -> Iterator[Advice]:
    if pooled:
        yield _pooled("Use the server's own address (usually port 5432).")
    local = host in _LOOPBACK or url.host.startswith("/")
    if not local and url.sslmode not in _VERIFYING:
        yield Advice(
            "tls",
            f"sslmode={url.sslmode} does not verify whom the connection leads to",
            "Use sslmode=verify-full with sslrootcert=/path/to/root.crt (or system).",
        )
