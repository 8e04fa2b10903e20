"""From what PostgreSQL or libpq said to what happened and what to do next.

Errors are recognised by SQLSTATE wherever the server answered. Where no connection came about,
libpq gives none, not even that of the server's refusal, so its text is read. Those words are
English where the server's lc_messages is (servers may be built without translations, as those of
the wheels are); of others only "the connection could not be made" is said. In no case is that text
passed on unseen: libpq repeats connection parameters in some of its messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg

from bounty_ops.errors import (
    AuthenticationFailed,
    InsufficientPrivilege,
    LockNotAvailable,
    PostgresError,
    ServerUnavailable,
)

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl

#: Which variable it is, an error does not know: it may be the operations database that is away.
_URL: Final = "the URL (DATABASE_URL; of the operations database OPS_DATABASE_URL)"
_CHECK_URL: Final = f"Check role and password in {_URL}; special characters are percent-encoded."

#: SQLSTATE -> (error, what happened, what to do). PostgreSQL documentation, appendix A.
_BY_STATE: Final[dict[str, tuple[type[PostgresError], str, str]]] = {
    "28P01": (AuthenticationFailed, "password authentication failed", _CHECK_URL),
    "28000": (
        AuthenticationFailed,
        "the server refuses this role, host or TLS mode",
        "Look at the server's pg_hba.conf; if it wants TLS, add sslmode=require to the URL.",
    ),
    "3D000": (
        AuthenticationFailed,
        "the database does not exist",
        f"Create it, or correct the database's name at the end of {_URL}.",
    ),
    "53300": (
        ServerUnavailable,
        "the server has no connection left (too many clients already)",
        "Close idle clients, use a smaller pool, or raise max_connections.",
    ),
    "57P03": (
        ServerUnavailable,
        "the server is starting up, shutting down or recovering",
        "Try again in a moment.",
    ),
    "57P01": (
        ServerUnavailable,
        "the server closed the connection (an administrator's command or a shutdown)",
        "Check that the server is up, then run the command again.",
    ),
    "57P02": (
        ServerUnavailable,
        "the server crashed and closed the connection",
        "Look at the server's log; it recovers by itself, then run the command again.",
    ),
    "42501": (
        InsufficientPrivilege,
        "the role may not do that",
        "Grant the role what the message names, or use the database's owner.",
    ),
    "55P03": (
        LockNotAvailable,
        "a lock was not granted in time",
        "Somebody else holds it: look for long transactions, then run the command again.",
    ),
    "57014": (
        PostgresError,
        "the statement was cancelled (a timeout, or somebody cancelled it)",
        "Try again when the server is less busy, or raise the timeout.",
    ),
    "25006": (
        PostgresError,
        "the server, or this session, is read-only",
        "Use the primary's address, or see who has set default_transaction_read_only.",
    ),
    "53100": (
        PostgresError,
        "the server's disk is full",
        "Free space on the server, then run the command again.",
    ),
}

#: Words of libpq (it has no codes) -> (error, what happened, what to do).
_BY_WORDS: Final[tuple[tuple[str, type[PostgresError], str, str], ...]] = (
    (
        "connection refused",
        ServerUnavailable,
        "connection refused: nothing listens there",
        f"Start the server, or correct host and port in {_URL}.",
    ),
    (
        "timeout expired",
        ServerUnavailable,
        "no answer within the connect timeout",
        "Check host, port and firewall; a suspended serverless database may need a second try.",
    ),
    (
        "could not translate host name",
        ServerUnavailable,
        "the host name cannot be resolved",
        f"Check the host in {_URL}.",
    ),
    (
        "resolve host",
        ServerUnavailable,
        "the host name cannot be resolved",
        f"Check the host in {_URL}.",
    ),
    (
        "certificate verify failed",
        AuthenticationFailed,
        "the server's TLS certificate could not be verified",
        "Give the provider's root certificate with sslrootcert=..., or use sslmode=require.",
    ),
    (
        "root certificate file",
        AuthenticationFailed,
        "there is no root certificate to verify the server with",
        f"Give it with sslrootcert=/path/to/root.crt (or sslrootcert=system) in {_URL}.",
    ),
    (
        "server does not support ssl",
        AuthenticationFailed,
        "the server does not offer TLS, but the URL insists on it",
        f"Switch TLS on at the server, or change sslmode in {_URL}.",
    ),
    (
        "no password supplied",
        AuthenticationFailed,
        "the server wants a password and the URL has none",
        f"Add the password to {_URL}; special characters are percent-encoded.",
    ),
    (
        "password authentication failed",
        AuthenticationFailed,
        "password authentication failed",
        _CHECK_URL,
    ),
    (
        "no pg_hba.conf entry",
        AuthenticationFailed,
        "the server refuses this role, host or TLS mode",
        "Look at the server's pg_hba.conf; if it wants TLS, add sslmode=require to the URL.",
    ),
    (
        "too many clients already",
        ServerUnavailable,
        "the server has no connection left (too many clients already)",
        "Close idle clients, use a smaller pool, or raise max_connections.",
    ),
    (
        "remaining connection slots are reserved",
        ServerUnavailable,
        "the server has no connection left (the rest is reserved)",
        "Close idle clients, use a smaller pool, or raise max_connections.",
    ),
    (
        "too many connections for",
        ServerUnavailable,
        "this role or database has no connection left (its own CONNECTION LIMIT is reached)",
        "Close idle clients, or raise the limit with ALTER ROLE or ALTER DATABASE.",
    ),
    (
        "permission denied for database",
        InsufficientPrivilege,
        "the role may not connect to this database",
        "GRANT CONNECT ON DATABASE ... TO the role, or use another one.",
    ),
    (
        "starting up",
        ServerUnavailable,
        "the server is starting up",
        "Try again in a moment.",
    ),
    (
        "shutting down",
        ServerUnavailable,
        "the server is shutting down",
        "Check that the server comes up again, then run the command again.",
    ),
    (
        "recovery mode",
        ServerUnavailable,
        "the server is recovering from a crash",
        "Try again in a moment.",
    ),
    # As in `FATAL:  database "x" does not exist`; the server's SQLSTATE does not reach us here.
    (
        "does not exist",
        AuthenticationFailed,
        "the database or the role does not exist",
        f"Create it, or correct role and database name in {_URL}.",
    ),
    (
        "no such file or directory",
        ServerUnavailable,
        "nothing listens on that socket",
        f"Start the server, or correct the socket directory in {_URL}.",
    ),
)


def diagnose(error: psycopg.Error, url: DatabaseUrl) -> PostgresError:
    """The error of our tree that says what happened to `url`, with what to do next."""
    state = error.sqlstate
    detail = _server_words(error)
    if state in _BY_STATE:
        kind, what, hint = _BY_STATE[state]
        named = f"{what}: {detail}" if detail and kind is not AuthenticationFailed else what
        return kind(f"{_who(url, state)}: {named}", hint=hint)
    if state is not None:
        return PostgresError(
            f"{url.address()}: {detail or 'the statement failed'} (SQLSTATE {state})",
            hint="Look up the SQLSTATE in PostgreSQL's documentation, appendix A.",
        )
    words = str(error).lower()
    for fragment, kind, what, hint in _BY_WORDS:
        if fragment in words:
            return kind(f"{_who(url, None)}: {what}", hint=hint)
    if isinstance(error, psycopg.OperationalError):
        return ServerUnavailable(
            f"{url.address()}: the connection was lost or could not be made",
            hint="Check that the server is up and reachable, then run the command again.",
        )
    return PostgresError(
        f"{url.address()}: {type(error).__name__}",
        hint="Run the command again with --debug to see where it happened.",
    )


def _who(url: DatabaseUrl, state: str | None) -> str:
    return f"{url.user} at {url.address()}" if state in {"28P01", "28000"} else url.address()


def _server_words(error: psycopg.Error) -> str:
    """The server's primary message: it names objects and roles, never parameter values.

    Detail and context lines are left out: they quote rows and statements.
    """
    return (error.diag.message_primary or "").strip()
