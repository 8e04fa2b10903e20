"""What one connection to a database shows: its encryption, its provider, poolers, limits, clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.doctor.result import CheckResult, State, ok
from bounty_ops.environments.providers import Access, advise
from bounty_ops.environments.tls import stays_here
from bounty_ops.errors import BountyOpsError
from bounty_ops.postgres.certificate import ssl_mode, verifies
from bounty_ops.postgres.preflight import refuse_transaction_pooling

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl

#: A backup in parallel takes five connections, a collection one, and a person wants one as well.
_NEEDED_CONNECTIONS: Final = 8
_SKEW: Final = timedelta(seconds=5)

_LIMITS: Final = """
SELECT current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::int,
       (SELECT coalesce(sum(numbackends), 0)::int FROM pg_catalog.pg_stat_database),
       (SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = current_database()),
       (SELECT numbackends FROM pg_catalog.pg_stat_database WHERE datname = current_database()),
       (SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = current_user),
       (SELECT count(*)::int FROM pg_catalog.pg_stat_activity WHERE usename = current_user)
"""


def encryption(
    subject: str,
    url: DatabaseUrl,
    connection: psycopg.Connection[TupleRow],
    *,
    protected: bool,
) -> CheckResult:
    """Whether this connection is encrypted and whom it leads to, as the client itself saw it."""
    if connection.pgconn.ssl_in_use and verifies(url):
        return ok("encryption", subject, f"TLS, certificate verified ({ssl_mode(url)})")
    if stays_here(url):
        used = "TLS" if connection.pgconn.ssl_in_use else "none"
        return ok("encryption", subject, f"{used}; the connection does not leave this machine")
    if connection.pgconn.ssl_in_use:
        found = f"TLS, but whose certificate it is was not verified ({ssl_mode(url)})"
        remedy = (
            "Use sslmode=verify-full, with sslrootcert=/path/to/root.crt where no public authority "
            "has signed; in bounty_ops.toml `tls` says what is insisted on."
        )
    else:
        found = "the connection is not encrypted"
        remedy = "Add sslmode=verify-full to its URL."
    if protected or not connection.pgconn.ssl_in_use:
        return CheckResult("encryption", subject, State.WARNING, found, remedy)
    return ok("encryption", subject, f"{found}; the environment is not protected")


def provider(subject: str, url: DatabaseUrl) -> Iterator[CheckResult]:
    """Who runs the server, and each thing in the URL that does not fit to them."""
    counsel = advise(url)
    problems = [each for each in counsel.problems if each.name != "pooler"]
    for each in problems:
        found = f"{counsel.provider}: {each.found}"
        yield CheckResult("provider", subject, State.WARNING, found, each.remedy)
    if not problems:
        yield ok("provider", subject, f"{counsel.provider}, {counsel.access}")


def pooler_by_address(subject: str, url: DatabaseUrl) -> CheckResult | None:
    """What needs no connection: a transaction pooler that is known by its address."""
    counsel = advise(url)
    if counsel.access is not Access.TRANSACTION_POOLER:
        return None
    known = next(each for each in counsel.problems if each.name == "pooler")
    return CheckResult("pooler", subject, State.FAILED, known.found, known.remedy)


def pooler(subject: str, url: DatabaseUrl, connection: psycopg.Connection[TupleRow]) -> CheckResult:
    """Whether a snapshot and its locks would survive, by the address and by trying it out."""
    known = pooler_by_address(subject, url)
    if known is not None:
        return known
    try:
        refuse_transaction_pooling(connection, url)
    except BountyOpsError as error:
        return CheckResult("pooler", subject, State.FAILED, str(error), error.hint)
    row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    if row is not None and row[0] != connection.info.backend_pid:
        return ok("pooler", subject, "a session pooler: a server connection for each session")
    return ok("pooler", subject, "the server itself")


def connections(subject: str, connection: psycopg.Connection[TupleRow]) -> CheckResult:
    """How many more connections this role could make, by whichever limit is the closest."""
    row = connection.execute(_LIMITS).fetchone()
    usable, used, of_database, in_database, of_role, by_role = row or (0,) * 6
    bounds = [("the server", usable, used)]
    if of_database >= 0:
        bounds.append(("this database", of_database, in_database))
    if of_role >= 0:
        bounds.append(("this role", of_role, by_role))
    name, limit, taken = min(bounds, key=lambda bound: bound[1] - bound[2])
    found = f"{max(limit - taken, 0)} of {limit} left, by the limit of {name}"
    if limit - taken >= _NEEDED_CONNECTIONS:
        return ok("connections", subject, found)
    return CheckResult(
        "connections",
        subject,
        State.WARNING,
        found,
        f"A backup with parallel jobs needs up to {_NEEDED_CONNECTIONS}: close idle clients, put a "
        "pooler before the applications, or raise the limit.",
    )


def clock(subject: str, connection: psycopg.Connection[TupleRow]) -> CheckResult:
    """Whether ages and deadlines mean the same there and here."""
    before = datetime.now(UTC)
    row = connection.execute("SELECT pg_catalog.clock_timestamp()").fetchone()
    after = datetime.now(UTC)
    there = row[0] if row else before
    return judge_clock(subject, there - (before + (after - before) / 2), _SKEW, after - before)


def judge_clock(
    subject: str,
    skew: timedelta,
    allowed: timedelta,
    uncertain: timedelta,
    fatal: timedelta | None = None,
) -> CheckResult:
    """A difference of clocks; `uncertain` is how exactly it is known, at best."""
    seconds = skew.total_seconds()
    which = "ahead of" if seconds > 0 else "behind"
    found = (
        f"{abs(seconds):.1f} s {which} this machine's (within {uncertain.total_seconds():.1f} s)"
    )
    if abs(skew) <= allowed + uncertain:
        return ok("clock", subject, found)
    state = State.FAILED if fatal is not None and abs(skew) > fatal else State.WARNING
    remedy = "Synchronise the clocks (chrony, systemd-timesyncd), this machine's first."
    return CheckResult("clock", subject, state, found, remedy)
