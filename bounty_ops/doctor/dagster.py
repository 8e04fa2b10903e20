"""Whether Dagster would run what is scheduled; it is looked at from outside and never imported."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from bounty_ops.doctor.dagster_link import as_dagster_connects, judge_link
from bounty_ops.doctor.result import CheckResult, State, failed, ok
from bounty_ops.embedded import running_stack
from bounty_ops.embedded.databases import Databases
from bounty_ops.embedded.state import State as EmbeddedState
from bounty_ops.environments import DatabaseUrl
from bounty_ops.errors import BountyOpsError
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.environments import Settings

_DAGSTER: Final = "Dagster"
_SCHEME: Final = "postgresql+psycopg2"
#: Libraries of Dagster 1.N.P are numbered 0.(N + 16).P (docs.dagster.io, "Compatibility").
_LIBRARY_OFFSET: Final = 16
_LIBRARIES: Final = ("dagster-postgres",)
_TWINS: Final = ("dagster-webserver", "dagster-graphql")
#: A heartbeat is sent every 30 s; Dagster's own page waits for half an hour.
_HEARTBEAT_SECONDS: Final = 300
#: The sensor that watches is evaluated every minute.
_TICK_SECONDS: Final = 900

_HEARTBEATS: Final = """
SELECT daemon_type, extract(epoch FROM (now() AT TIME ZONE 'utc') - "timestamp")::float
  FROM daemon_heartbeats ORDER BY 1
"""
_INSTIGATORS: Final = """
SELECT i.instigator_body, i.status,
       (SELECT extract(epoch FROM (now() AT TIME ZONE 'utc') - max(t."timestamp"))::float
          FROM job_ticks t WHERE t.selector_id = i.selector_id)
  FROM instigators i
"""


def examine_dagster(settings: Settings, variables: Mapping[str, str]) -> Iterator[CheckResult]:
    """All checks of Dagster; what would have to be asked of its database may be unknown."""
    yield _versions()
    instance = _instance(settings, variables)
    yield _scheme(instance)
    try:
        url = _storage(settings, variables)
    except BountyOpsError as error:
        yield failed("storage", _DAGSTER, error)
        return
    if url is None:
        for name in ("storage", "daemon", "schedules"):
            yield CheckResult(
                name,
                _DAGSTER,
                State.UNKNOWN,
                "nothing here tells where Dagster keeps its data, and no local stack runs",
                "Run doctor with Dagster's own variables (DAGSTER_PG_HOST ...), or see its page "
                "Deployment / Daemons.",
            )
        return
    url = as_dagster_connects(url, instance, variables)
    protected = any(each.policy.protected for each in settings.environments.values())
    try:
        with connect(url, application_name="bounty-ops doctor", read_only=True) as connection:
            _find_schema(connection)
            yield judge_link(_DAGSTER, url, connection, protected=protected)
            yield _daemon(connection)
            yield _schedules(connection, settings)
    except BountyOpsError as error:
        yield failed("storage", _DAGSTER, error)


def _versions() -> CheckResult:
    found = {"dagster": version("dagster")}
    for name in (*_LIBRARIES, *_TWINS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return judge_versions(found)


def judge_versions(found: Mapping[str, str]) -> CheckResult:
    """Whether the packages of Dagster are of one release."""
    _, minor, patch = found["dagster"].split(".")[:3]
    wanted = {
        **dict.fromkeys(_TWINS, found["dagster"]),
        **dict.fromkeys(_LIBRARIES, f"0.{int(minor) + _LIBRARY_OFFSET}.{patch}"),
    }
    wrong = [f"{name} {found[name]}" for name in wanted if found[name] != wanted[name]]
    if not wrong:
        return ok("versions", _DAGSTER, f"Dagster {found['dagster']}")
    return CheckResult(
        "versions",
        _DAGSTER,
        State.FAILED,
        f"Dagster {found['dagster']} with {', '.join(wrong)}",
        "Install " + " ".join(f"{name}=={wanted[name]}" for name in wanted) + ".",
    )


def _instance(settings: Settings, variables: Mapping[str, str]) -> Path | None:
    """The file that says how Dagster's processes are set, as far as it can be known here."""
    home = variables.get("DAGSTER_HOME")
    package = Path(__file__).parents[1]
    own = EmbeddedState(settings.state_dir).dagster
    places = ([Path(home)] if home else []) + [
        own, settings.project_dir, package.parent, package / "_dagster",
    ]  # fmt: skip
    files = (place / "dagster.yaml" for place in places)
    return next((file for file in files if file.is_file()), None)


def _scheme(instance: Path | None) -> CheckResult:
    if instance is not None:
        return judge_instance(instance)
    return CheckResult(
        "storage scheme",
        _DAGSTER,
        State.UNKNOWN,
        "there is no dagster.yaml here",
        "Set DAGSTER_HOME to the directory that holds it.",
    )


def judge_instance(path: Path) -> CheckResult:
    """Whether an instance's storage names a driver that dagster-postgres can work with."""
    try:
        instance = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        storage = instance.get("storage", {})
        postgres = storage.get("postgres")
    except (OSError, yaml.YAMLError, AttributeError):
        return _scheme_wrong(path, "cannot be read", State.FAILED)
    if postgres is None:
        found = "keeps runs in files: the page of another process may not see them"
        return _scheme_wrong(path, found, State.WARNING)
    url = postgres.get("postgres_url")
    scheme = (
        url.partition("://")[0]
        if isinstance(url, str)
        else (postgres.get("postgres_db") or {}).get("scheme")
    )
    if isinstance(url, dict):
        return _scheme_wrong(path, "takes its URL from a variable", State.UNKNOWN)
    if scheme == _SCHEME:
        return ok("storage scheme", _DAGSTER, f"{path}: {scheme}")
    found = (
        f"names {scheme or 'no driver'}, which SQLAlchemy 2.1 takes for psycopg 3: storing the "
        "first event fails"
    )
    return _scheme_wrong(path, found, State.FAILED)


def _scheme_wrong(path: Path, found: str, state: State) -> CheckResult:
    remedy = f"Write scheme: {_SCHEME} below storage.postgres.postgres_db."
    return CheckResult("storage scheme", _DAGSTER, state, f"{path} {found}", remedy)


def _storage(settings: Settings, variables: Mapping[str, str]) -> DatabaseUrl | None:
    if variables.get("DAGSTER_PG_HOST"):
        return DatabaseUrl(
            variables["DAGSTER_PG_HOST"],
            int(variables.get("DAGSTER_PG_PORT") or "5432"),
            variables.get("DAGSTER_PG_DB") or "dagster",
            variables.get("DAGSTER_PG_USER") or "dagster",
            variables.get("DAGSTER_PG_PASSWORD"),
        )
    stack = running_stack(settings)
    if stack is None or stack.ui_url is None:
        return None
    if settings.ops_url is not None:
        return settings.ops_url
    state = EmbeddedState(settings.state_dir)
    return Databases(state, state.secrets()).url("dagster")


def _find_schema(connection: psycopg.Connection[TupleRow]) -> None:
    row = connection.execute("SELECT pg_catalog.to_regclass('daemon_heartbeats')").fetchone()
    if row is None or row[0] is None:
        connection.execute("SET search_path = dagster")


def _daemon(connection: psycopg.Connection[TupleRow]) -> CheckResult:
    beats = {kind: age for kind, age in connection.execute(_HEARTBEATS).fetchall()}  # noqa: C416 - typed as a dict of the two columns
    late = sorted(kind for kind, age in beats.items() if age > _HEARTBEAT_SECONDS)
    if beats and not late:
        return ok(
            "daemon", _DAGSTER, f"{len(beats)} daemons, heard {max(beats.values()):.0f} s ago"
        )
    found = (
        f"not heard of for {max(beats.values()) / 60:.0f} minutes: {', '.join(late)}"
        if late
        else "no daemon has ever been heard of"
    )
    remedy = "Start `dagster-daemon run`; without it nothing is scheduled, queued or watched."
    return CheckResult("daemon", _DAGSTER, State.FAILED, found, remedy)


def _schedules(connection: psycopg.Connection[TupleRow], settings: Settings) -> CheckResult:
    seen: dict[str, tuple[str, float | None]] = {}
    for body, status, age in connection.execute(_INSTIGATORS).fetchall():
        seen[_name(json.loads(body))] = (status, age)
    stopped, silent = [], []
    for name in settings.environments:
        for wanted, ticks in ((f"{name}_nightly_schedule", False), (f"{name}_watch", True)):
            status, age = seen.get(wanted, ("MISSING", None))
            if status not in {"RUNNING", "DECLARED_IN_CODE"}:
                stopped.append(f"{wanted} ({status.lower()})")
            elif ticks and (age is None or age > _TICK_SECONDS):
                silent.append(wanted)
    if not stopped and not silent:
        return ok("schedules", _DAGSTER, f"{len(seen)} are switched on, and evaluated")
    found = "; ".join(
        f"{what}: {', '.join(names)}"
        for what, names in (("not running", stopped), ("not evaluated lately", silent))
        if names
    )
    remedy = "Switch them on under Automation; what is missing appears when the code is reloaded."
    return CheckResult("schedules", _DAGSTER, State.WARNING, found, remedy)


def _name(body: dict[str, Any]) -> str:
    origin = body.get("origin", {})
    return str(origin.get("job_name") or origin.get("instigator_name") or "?")
