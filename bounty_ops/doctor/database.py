"""Whether each database can be worked with: reached, fit, encrypted, and with a client."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from bounty_ops.doctor.link import (
    clock,
    connections,
    encryption,
    pooler,
    pooler_by_address,
    provider,
)
from bounty_ops.doctor.result import CheckResult, State, failed, guarded, ok
from bounty_ops.doctor.roles import backup_role, migration_role, monitoring_role
from bounty_ops.doctor.storage import extensions, storage
from bounty_ops.errors import BountyOpsError, ServerUnavailable
from bounty_ops.migrating import current_revision
from bounty_ops.migrating.lineage import OPS
from bounty_ops.migrating.plan import plan_for
from bounty_ops.postgres.connect import connect, translated
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.server import server_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl, Environment, Settings
    from bounty_ops.postgres.programs import Programs
    from bounty_ops.postgres.server import ServerFacts

    Connection = psycopg.Connection[TupleRow]

#: A version number holds the minor release in its last four digits (server_version_num).
_MINORS: Final = 10_000
_OLDEST_MAJOR: Final = 14
#: When PostgreSQL's developers make the last release of each major version, five years after the
#: first (https://www.postgresql.org/support/versioning/); holes that are found later stay open.
_LAST_RELEASE: Final = {
    14: date(2026, 11, 12),
    15: date(2027, 11, 11),
    16: date(2028, 11, 9),
    17: date(2029, 11, 8),
    18: date(2030, 11, 14),
}
_CONNECT_TIMEOUT_SECONDS: Final = 5
_STATEMENT_TIMEOUT_MS: Final = 10_000
OPERATIONS: Final = "operations database"
#: What is asked over the connection; without one each is unknown.
_OVER_THE_CONNECTION: Final = (
    "version", "encryption", "primary", "pooler", "connections", "storage", "extensions",
    "backup role", "monitoring role", "migration role", "clock", "client programs",
    "verification programs", "revision",
)  # fmt: skip


def examine_environment(environment: Environment, settings: Settings) -> Iterator[CheckResult]:
    """All checks of one environment; what could not be asked is unknown."""
    name = environment.name
    try:
        url = environment.require_url()
    except BountyOpsError as error:
        yield failed("configured", name, error)
        yield from _unasked(name, ("reachable", "provider", *_OVER_THE_CONNECTION), "configured")
        return
    yield ok("configured", name, url.address())
    yield from provider(name, url)
    answered: list[str] = []
    try:
        for each in _over_the_connection(environment, url, settings):
            answered.append(each.name)
            yield each
    except BountyOpsError as error:
        yield from _broken_off(name, url, answered, error)
        return
    yield guarded("revision", name, lambda: _revision(environment))


def _broken_off(
    subject: str, url: DatabaseUrl, answered: list[str], error: BountyOpsError
) -> Iterator[CheckResult]:
    """What was asked when no connection came about, or the one there was had an end."""
    names = ("reachable", *_OVER_THE_CONNECTION)
    first, *rest = [name for name in names if name not in answered]
    yield failed(first, subject, error)
    known = pooler_by_address(subject, url)
    for each in _unasked(subject, rest, first):
        yield known if known is not None and each.name == known.name else each


def examine_operations(settings: Settings) -> Iterator[CheckResult]:
    """Whether the operations database answers, is apart, and has our newest schema."""
    try:
        url = settings.require_ops_url()
        with _connected(url) as connection:
            facts = server_facts(connection)
            encrypted = encryption(OPERATIONS, url, connection, protected=True)
    except BountyOpsError as error:
        yield failed("reachable", OPERATIONS, error)
        yield from _unasked(OPERATIONS, ("encryption", "separate", "revision"), "reachable")
        return
    yield ok("reachable", OPERATIONS, f"{url.address()} as {facts.user}")
    yield encrypted
    yield _separate(settings, url)
    yield guarded("revision", OPERATIONS, lambda: _ops_revision(url))


def _unasked(subject: str, names: Iterable[str], first: str) -> Iterator[CheckResult]:
    for name in names:
        remedy = f"Mend what `{first}` says first."
        yield CheckResult(name, subject, State.UNKNOWN, f"not asked: {first} failed", remedy)


def _over_the_connection(
    environment: Environment, url: DatabaseUrl, settings: Settings
) -> Iterator[CheckResult]:
    name = environment.name
    with _connected(url) as connection:
        facts = server_facts(connection)
        yield ok("reachable", name, f"as {facts.user}")
        yield judge_version(name, facts, datetime.now(UTC).date())
        yield encryption(name, url, connection, protected=environment.policy.protected)
        yield _writable(name, facts)
        yield pooler(name, url, connection)
        checks: dict[str, Callable[[str, Connection], CheckResult]] = {
            "connections": connections,
            "storage": storage,
            "extensions": extensions,
            "backup role": backup_role,
            "monitoring role": monitoring_role,
            "migration role": migration_role,
            "clock": clock,
        }
        for label, check in checks.items():
            yield _asked(label, name, url, partial(check, name, connection))
    yield guarded("client programs", name, lambda: _programs(name, facts))
    yield _verification(name, facts, settings)


def _asked(
    label: str, subject: str, url: DatabaseUrl, check: Callable[[], CheckResult]
) -> CheckResult:
    """The answer of a check; what the server refuses to tell is unknown."""
    try:
        with translated(url):
            return check()
    except ServerUnavailable:
        raise
    except BountyOpsError as error:
        return CheckResult(label, subject, State.UNKNOWN, str(error), error.hint)


def _connected(url: DatabaseUrl) -> AbstractContextManager[Connection]:
    return connect(
        url,
        application_name="bounty-ops doctor",
        read_only=True,
        connect_timeout_seconds=_CONNECT_TIMEOUT_SECONDS,
        statement_timeout_ms=_STATEMENT_TIMEOUT_MS,
    )


def judge_version(name: str, facts: ServerFacts, today: date) -> CheckResult:
    """Whether the server's major version is one that we work with, and that is still mended."""
    if facts.major < _OLDEST_MAJOR:
        return CheckResult(
            "version",
            name,
            State.FAILED,
            f"PostgreSQL {facts.version} is older than {_OLDEST_MAJOR}",
            f"Upgrade the server to PostgreSQL {_OLDEST_MAJOR} or newer.",
        )
    last = _LAST_RELEASE.get(facts.major)
    if last is not None and today > last:
        return CheckResult(
            "version",
            name,
            State.WARNING,
            f"PostgreSQL {facts.version}: of {facts.major} there is no release after {last}",
            "Plan the upgrade to a newer major version. Providers may mend theirs for longer.",
        )
    return ok("version", name, f"PostgreSQL {facts.version}")


def _writable(name: str, facts: ServerFacts) -> CheckResult:
    if facts.in_recovery:
        return CheckResult(
            "primary",
            name,
            State.WARNING,
            "the server is a standby: it can be backed up and measured, but not migrated",
            "Point DATABASE_URL at the primary if you want to migrate.",
        )
    return ok("primary", name, "the server accepts writes")


def _programs(name: str, facts: ServerFacts) -> CheckResult:
    return judge_programs(name, find_programs(facts.major), facts)


def judge_programs(name: str, programs: Programs, facts: ServerFacts) -> CheckResult:
    """Whether these programs, of the server's major version, are as new as the server."""
    found, newest = f"pg_dump {programs.version}", facts.version_num % _MINORS
    if programs.minor is None or programs.minor >= newest:
        return ok("client programs", name, found)
    return CheckResult(
        "client programs",
        name,
        State.WARNING,
        f"{found} is older than the server, PostgreSQL {facts.version}",
        f"Update the PostgreSQL programs here to {facts.major}.{newest} or newer: a pg_dump from "
        "before November 2026 writes what newer servers note for themselves, and such a backup "
        "cannot be proved.",
    )


def _verification(name: str, facts: ServerFacts, settings: Settings) -> CheckResult:
    label = "verification programs"
    if settings.verify_server is not None:
        return ok(label, name, "a server for verifications is set")
    try:
        programs = find_programs(facts.major, server=True)
    except BountyOpsError as error:
        return CheckResult(label, name, State.WARNING, f"no proof here: {error}", error.hint)
    return ok(label, name, f"PostgreSQL {programs.version}")


def _separate(settings: Settings, url: DatabaseUrl) -> CheckResult:
    same = [
        name
        for name, each in settings.environments.items()
        if each.url is not None and each.url.address() == url.address()
    ]
    if not same:
        return ok("separate", OPERATIONS, "none of the environments' databases")
    return CheckResult(
        "separate",
        OPERATIONS,
        State.FAILED,
        f"it is the database of {', '.join(same)} as well: it would be lost together with what it "
        "knows about",
        "Give OPS_DATABASE_URL a database of its own, best on another server.",
    )


def _revision(environment: Environment) -> CheckResult:
    current = current_revision(environment)
    if current.pending:
        return CheckResult(
            "revision",
            environment.name,
            State.WARNING,
            f"pending migrations: {len(current.pending)} "
            f"(at {current.revision or 'none'}, head {current.head})",
            f"See the plan: bounty-ops db migrate -e {environment.name} --dry-run",
        )
    return ok("revision", environment.name, f"at {current.revision}")


def _ops_revision(url: DatabaseUrl) -> CheckResult:
    plan = plan_for(OPS, "ops", url)
    if plan.pending:
        return CheckResult(
            "revision",
            OPERATIONS,
            State.WARNING,
            "its schema is not the newest; the next operation brings it up to date",
            "Run any operation, such as: bounty-ops monitor collect",
        )
    return ok("revision", OPERATIONS, f"at {plan.current}")
