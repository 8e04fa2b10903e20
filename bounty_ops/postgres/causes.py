"""Every cause that a database error is traced back to, with what to do about it.

Each is recognised by a code that no language setting changes: a SQLSTATE, an errno, OpenSSL's
verify code, or a step of the start of a connection. `docs/reference/errors.md` lists them; a test
holds the page against this table.
"""

from __future__ import annotations

from typing import Final

from bounty_ops.errors import (
    AuthenticationFailed,
    InsufficientPrivilege,
    LockNotAvailable,
    PostgresError,
    ServerUnavailable,
)
from bounty_ops.postgres import tls_causes
from bounty_ops.postgres.cause import URL, Cause

CONNECTION_REFUSED: Final = Cause(
    "connection_refused",
    ServerUnavailable,
    "connection refused: nothing listens there",
    f"Start the server, or correct host and port in {URL}.",
    "errno ECONNREFUSED",
)
NO_ANSWER: Final = Cause(
    "no_answer",
    ServerUnavailable,
    "no answer within the connect timeout",
    "Check host, port and firewall; a suspended serverless database may need a second try.",
    "errno ETIMEDOUT, or no answer to the start of a connection",
)
HOST_UNREACHABLE: Final = Cause(
    "host_unreachable",
    ServerUnavailable,
    "no way leads to that host from here",
    "Check the network; a host that has an IPv6 address only needs IPv6 here as well.",
    "errno EHOSTUNREACH, ENETUNREACH or EADDRNOTAVAIL",
)
HOST_UNKNOWN: Final = Cause(
    "host_unknown",
    ServerUnavailable,
    "the host name cannot be resolved",
    f"Check the host in {URL}.",
    "getaddrinfo's EAI codes",
)
SOCKET_MISSING: Final = Cause(
    "socket_missing",
    ServerUnavailable,
    "nothing listens on that socket",
    f"Start the server, or correct the socket directory in {URL}.",
    "errno ENOENT of a Unix socket",
)
SOCKET_FORBIDDEN: Final = Cause(
    "socket_forbidden",
    ServerUnavailable,
    "this user may not open that socket",
    "Run as a user that may enter the socket's directory.",
    "errno EACCES or EPERM",
)
NOT_POSTGRESQL: Final = Cause(
    "not_postgresql",
    ServerUnavailable,
    "what listens there does not answer as PostgreSQL does",
    f"Correct host and port in {URL}; a tunnel or a proxy may have lost what is behind it.",
    "the answer to SSLRequest is neither S, N nor E",
)
TLS_REQUIRED: Final = tls_causes.TLS_REQUIRED
TLS_NOT_OFFERED: Final = tls_causes.TLS_NOT_OFFERED
CERTIFICATE_UNVERIFIED: Final = tls_causes.CERTIFICATE_UNVERIFIED
CERTIFICATE_EXPIRED: Final = tls_causes.CERTIFICATE_EXPIRED
CERTIFICATE_NOT_YET_VALID: Final = tls_causes.CERTIFICATE_NOT_YET_VALID
ROOT_CERTIFICATE_MISSING: Final = tls_causes.ROOT_CERTIFICATE_MISSING
CLIENT_CERTIFICATE_MISSING: Final = tls_causes.CLIENT_CERTIFICATE_MISSING
CLIENT_CERTIFICATE_REFUSED: Final = tls_causes.CLIENT_CERTIFICATE_REFUSED
CLIENT_KEY_UNUSABLE: Final = tls_causes.CLIENT_KEY_UNUSABLE
TLS_FAILED: Final = tls_causes.TLS_FAILED
PASSWORD_MISSING: Final = Cause(
    "password_missing",
    AuthenticationFailed,
    "the server wants a password and the URL has none",
    f"Add the password to {URL}; special characters are percent-encoded.",
    "a password is asked for and none is there (PQconnectionNeedsPassword)",
)
PASSWORD_REJECTED: Final = Cause(
    "password_rejected",
    AuthenticationFailed,
    "password authentication failed",
    f"Check role and password in {URL}; special characters are percent-encoded.",
    "SQLSTATE",
    ("28P01",),
)
ACCESS_REJECTED: Final = Cause(
    "access_rejected",
    AuthenticationFailed,
    "the server refuses this role, host or TLS mode",
    "Look at the server's pg_hba.conf, and whether the role exists and may log in; if the server "
    "wants TLS, add sslmode=verify-full to the URL; if it goes by a certificate of this client, "
    "the common name (CN) of that has to be the role.",
    "SQLSTATE",
    ("28000",),
)
DATABASE_MISSING: Final = Cause(
    "database_missing",
    AuthenticationFailed,
    "the database does not exist",
    f"Create it, or correct the database's name at the end of {URL}.",
    "SQLSTATE",
    ("3D000",),
)
TOO_MANY_CONNECTIONS: Final = Cause(
    "too_many_connections",
    ServerUnavailable,
    "the server has no connection left (too many clients already)",
    "Close idle clients, use a smaller pool, or raise max_connections; where it is the limit of "
    "this role or database, raise that with ALTER ROLE or ALTER DATABASE ... CONNECTION LIMIT.",
    "SQLSTATE",
    ("53300",),
)
NOT_READY: Final = Cause(
    "not_ready",
    ServerUnavailable,
    "the server is starting up, shutting down or recovering",
    "Try again in a moment.",
    "SQLSTATE",
    ("57P03",),
)
ENDED_BY_ADMINISTRATOR: Final = Cause(
    "ended_by_administrator",
    ServerUnavailable,
    "the server closed the connection (an administrator's command or a shutdown)",
    "Check that the server is up, then run the command again.",
    "SQLSTATE",
    ("57P01", "57P05"),
)
SERVER_CRASHED: Final = Cause(
    "server_crashed",
    ServerUnavailable,
    "the server crashed and closed the connection",
    "Look at the server's log; it recovers by itself, then run the command again.",
    "SQLSTATE",
    ("57P02",),
)
CONNECT_FORBIDDEN: Final = Cause(
    "connect_forbidden",
    InsufficientPrivilege,
    "the role may not connect to this database",
    "GRANT CONNECT ON DATABASE ... TO the role, or use another one.",
    "SQLSTATE 42501 while connecting",
)
PERMISSION_DENIED: Final = Cause(
    "permission_denied",
    InsufficientPrivilege,
    "the role may not do that",
    "Grant the role what the message names, or use the database's owner.",
    "SQLSTATE",
    ("42501",),
)
LOCKED: Final = Cause(
    "locked",
    LockNotAvailable,
    "a lock was not granted in time",
    "Somebody else holds it: look for long transactions, then run the command again.",
    "SQLSTATE",
    ("55P03",),
)
CANCELLED: Final = Cause(
    "cancelled",
    PostgresError,
    "the statement was cancelled (a timeout, or somebody cancelled it)",
    "Try again when the server is less busy, or raise the timeout.",
    "SQLSTATE",
    ("57014",),
)
READ_ONLY: Final = Cause(
    "read_only",
    PostgresError,
    "the server, or this session, is read-only",
    "Use the primary's address, or see who has set default_transaction_read_only.",
    "SQLSTATE",
    ("25006",),
)
DISK_FULL: Final = Cause(
    "disk_full",
    PostgresError,
    "the server's disk is full",
    "Free space on the server, then run the command again.",
    "SQLSTATE",
    ("53100",),
)
ROWS_VIOLATE: Final = Cause(
    "rows_violate",
    PostgresError,
    "rows do not keep to a constraint",
    "The message names it: correct the rows that violate it, or the constraint.",
    "SQLSTATE",
    ("23505", "23502", "23503", "23514", "23P01"),
)
SCHEMA_MISMATCH: Final = Cause(
    "schema_mismatch",
    PostgresError,
    "the database's schema is not the one that this expects",
    "See how they differ with `bounty-ops db drift`, and what is pending with `bounty-ops db "
    "plan`.",
    "SQLSTATE",
    ("42P01", "42703", "42704", "42883", "3F000", "42P07", "42701", "42710", "42P06"),
)
POOLER_REFUSED: Final = Cause(
    "pooler_refused",
    AuthenticationFailed,
    "a connection pooler or proxy before the server refuses this role or database",
    "Check role and database in the URL (a shared pooler wants the project in the role's name), or "
    "use the database's direct address.",
    "SQLSTATE 08P01, XX000 or none of PostgreSQL's own while connecting",
)
CONNECTION_LOST: Final = Cause(
    "connection_lost",
    ServerUnavailable,
    "the connection was lost",
    "Check that the server is up and reachable, then run the command again.",
    "libpq lost a connection that had been made, or SQLSTATE",
    ("08000", "08001", "08003", "08004", "08006"),
)
PASSED: Final = Cause(
    "passed",
    ServerUnavailable,
    "the connection could not be made, and a second look a moment later succeeded",
    "Run the command again; if it happens often, look for a proxy or firewall that drops "
    "connections.",
    "connecting once more goes well",
)
UNRECOGNISED: Final = Cause(
    "unrecognised",
    ServerUnavailable,
    "the connection was lost or could not be made",
    "Check that the server is up and reachable, then run the command again.",
    "no code was given",
)

#: In the order in which the documentation lists them.
CAUSES: Final = tuple(value for value in list(globals().values()) if isinstance(value, Cause))
_BY_STATE: Final = {state: cause for cause in CAUSES for state in cause.states}


def cause_of(sqlstate: str) -> Cause | None:
    """The cause that a SQLSTATE stands for, if it is one of ours."""
    return _BY_STATE.get(sqlstate)
