"""Whether each database can be worked with: reached, new enough, encrypted, and with a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.doctor.result import CheckResult, State, failed, guarded, ok
from bounty_ops.errors import BountyOpsError
from bounty_ops.migrating import current_revision
from bounty_ops.migrating.lineage import OPS
from bounty_ops.migrating.plan import plan_for
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.server import server_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl, Environment, Settings
    from bounty_ops.postgres.server import ServerFacts

_OLDEST_MAJOR = 14
_CONNECT_TIMEOUT_SECONDS = 5
_OPERATIONS = "operations database"


def examine_environment(environment: Environment) -> Iterator[CheckResult]:
    """All checks of one environment; those that need an answer end with the first silence."""
    name = environment.name
    try:
        url = environment.require_url()
    except BountyOpsError as error:
        yield failed("configured", name, error)
        return
    yield ok("configured", name, url.address())
    try:
        facts = _ask(url)
    except BountyOpsError as error:
        yield failed("reachable", name, error)
        return
    yield ok("reachable", name, f"as {facts.user}")
    yield _version(name, facts)
    yield _tls(environment, facts)
    yield _writable(name, facts)
    yield guarded("client programs", name, lambda: _programs(name, facts))
    yield guarded("revision", name, lambda: _revision(environment))


def examine_operations(settings: Settings) -> Iterator[CheckResult]:
    """Whether the operations database answers and has our newest schema."""
    try:
        url = settings.require_ops_url()
        facts = _ask(url)
    except BountyOpsError as error:
        yield failed("reachable", _OPERATIONS, error)
        return
    yield ok("reachable", _OPERATIONS, f"{url.address()} as {facts.user}")
    yield guarded("revision", _OPERATIONS, lambda: _ops_revision(url))


def _ask(url: DatabaseUrl) -> ServerFacts:
    with connect(
        url,
        application_name="bounty-ops doctor",
        read_only=True,
        connect_timeout_seconds=_CONNECT_TIMEOUT_SECONDS,
    ) as connection:
        return server_facts(connection)


def _version(name: str, facts: ServerFacts) -> CheckResult:
    if facts.major < _OLDEST_MAJOR:
        return CheckResult(
            "version",
            name,
            State.FAILED,
            f"PostgreSQL {facts.version} is older than {_OLDEST_MAJOR}",
            f"Upgrade the server to PostgreSQL {_OLDEST_MAJOR} or newer.",
        )
    return ok("version", name, f"PostgreSQL {facts.version}")


def _tls(environment: Environment, facts: ServerFacts) -> CheckResult:
    if facts.ssl:
        return ok("encryption", environment.name, "the connection uses TLS")
    if environment.policy.protected:
        return CheckResult(
            "encryption",
            environment.name,
            State.WARNING,
            "the connection to a protected environment is not encrypted",
            "Add sslmode=verify-full to its DATABASE_URL, unless it is reached without a network.",
        )
    return ok("encryption", environment.name, "none; the environment is not protected")


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
    programs = find_programs(facts.major)
    return ok("client programs", name, f"pg_dump {programs.version}")


def _revision(environment: Environment) -> CheckResult:
    current = current_revision(environment)
    if current.pending:
        return CheckResult(
            "revision",
            environment.name,
            State.WARNING,
            f"{len(current.pending)} migrations are pending "
            f"(at {current.revision or 'none'}, head {current.head})",
            f"See the plan: bounty-ops db migrate -e {environment.name} --dry-run",
        )
    return ok("revision", environment.name, f"at {current.revision}")


def _ops_revision(url: DatabaseUrl) -> CheckResult:
    plan = plan_for(OPS, "ops", url)
    if plan.pending:
        return CheckResult(
            "revision",
            _OPERATIONS,
            State.WARNING,
            "its schema is not the newest; the next operation brings it up to date",
            "Run any operation, such as: bounty-ops monitor collect",
        )
    return ok("revision", _OPERATIONS, f"at {plan.current}")
