"""Reading the environments from variables, `.env.<name>` files and `bounty_ops.toml`.

Nothing here raises for a wrong setting: an operator must be able to open the user interface and
run `doctor` exactly when a setting is wrong. What is wrong becomes the `problem` of what it
concerns, and using that raises it.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dotenv import dotenv_values
from pydantic import ValidationError

from bounty_ops.environments.age_keys import age_identities
from bounty_ops.environments.alerts import alerts_of
from bounty_ops.environments.masking import masking_of
from bounty_ops.environments.model import DEVELOPMENT, Environment, Settings
from bounty_ops.environments.object_storage import (
    ObjectStoreSettings,
    copy_object_store_settings,
    object_store_settings,
)
from bounty_ops.environments.policy import Policy
from bounty_ops.environments.servers import drill_server, ops_server
from bounty_ops.environments.tls import insisted
from bounty_ops.environments.url import DatabaseUrl
from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICY_FILE: Final = "bounty_ops.toml"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")
#: Files that projects keep beside `.env` and that name no environment.
_NOT_ENVIRONMENTS: Final = frozenset(
    {"example", "sample", "template", "local", "defaults", "dist", "bak", "vault", "keys"}
)


@dataclass(frozen=True)
class _Found:
    """The variables of one environment, and from where its URL came."""

    variables: Mapping[str, str]
    source: str
    problem: ConfigurationError | None = None


def load_settings(
    project_dir: Path | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Everything this deployment is told from outside.

    Args:
        project_dir: where `.env*`, `bounty_ops.toml` and `.bounty-ops/` are; by default
            `BOUNTY_OPS_HOME`, or the current directory.
        environ: the variables to go by; by default those of this process.
    """
    variables = dict(os.environ if environ is None else environ)
    home = project_dir or Path(variables.get("BOUNTY_OPS_HOME") or Path.cwd())
    home = home.expanduser().resolve()
    shared, shared_problem = _read_dotenv(home / ".env")
    # Dagster copies `.env` into the variables of its processes. A value that is equal in both
    # must rank as the file's, or `.env.staging` would lose to `.env` under Dagster only.
    own = {name: value for name, value in variables.items() if shared.get(name) != value}
    merged = {**shared, **own}
    tables, policy_problem = _read_policies(home / POLICY_FILE)
    default = merged.get("BOUNTY_ENV", "").strip() or DEVELOPMENT
    found = _find_environments(home, shared, own, default, tables)
    environments = {
        name: _environment(name, entry, merged, tables, policy_problem or shared_problem)
        for name, entry in sorted(found.items(), key=lambda item: (item[0] != default, item[0]))
    }
    ops_url, ops_problem = ops_server(merged, environments)
    store, store_problem = _object_store(merged)
    copies, copies_problem = _copy_object_store(merged, store)
    verify_server, verify_problem = drill_server(merged, environments, ops_url)
    identities, age_problem = _age_identities(merged, home)
    masking, masking_problem = masking_of(tables, POLICY_FILE)
    alerts_problem = next((each.alerts_problem for each in environments.values()), None)
    problems = (
        policy_problem,
        shared_problem,
        ops_problem,
        age_problem,
        verify_problem,
        store_problem,
        copies_problem,
        masking_problem,
        alerts_problem,
    )
    return Settings(
        project_dir=home,
        state_dir=home / ".bounty-ops",
        environments=environments,
        default_environment=default,
        ops_url=ops_url,
        object_store=store,
        ops_problem=ops_problem,
        object_store_problem=store_problem,
        age_identities=identities,
        age_problem=age_problem,
        verify_server=verify_server,
        verify_problem=verify_problem,
        copy_object_store=copies,
        copy_object_store_problem=copies_problem,
        masking=masking,
        masking_problem=masking_problem,
        problems=tuple(problem for problem in problems if problem is not None),
    )


def _read_dotenv(path: Path) -> tuple[dict[str, str], ConfigurationError | None]:
    """The variables of a file; a missing file has none."""
    try:
        if not path.is_file():
            return {}, None
        values = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        return {}, ConfigurationError(
            f"{path.name} cannot be read: {reason}", hint=f"Make {path.name} readable, as UTF-8."
        )
    return {name: value for name, value in values.items() if value}, None


def _read_policies(path: Path) -> tuple[dict[str, object], ConfigurationError | None]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), None
    except FileNotFoundError:
        return {}, None
    except OSError as error:
        reason = error.strerror or "unknown error"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reason = str(error)
    # Without the file nobody knows which environment is protected, so none may be used.
    return {}, ConfigurationError(
        f"{path.name} cannot be read: {reason}",
        hint=f"Correct {path.name}; until then no environment is used, because it may protect one.",
    )


def _find_environments(
    home: Path,
    shared: Mapping[str, str],
    own: Mapping[str, str],
    default: str,
    tables: Mapping[str, object],
) -> dict[str, _Found]:
    """Every environment that anything names; a variable outranks `.env.<name>` outranks `.env`."""
    found: dict[str, _Found] = {}
    for path in sorted(home.glob(".env.*")):
        name = path.name.removeprefix(".env.")
        if name.rpartition(".")[2] not in _NOT_ENVIRONMENTS and path.is_file():
            values, problem = _read_dotenv(path)
            found[name] = _Found(values, path.name, problem)
    declared = tables.get("environments")
    for name in declared if isinstance(declared, dict) else ():
        found.setdefault(name, _Found({}, POLICY_FILE))
    inherited = found.get(default, _Found({}, ".env"))
    if own.get("DATABASE_URL", "").strip():
        values = {**inherited.variables, "DATABASE_URL": own["DATABASE_URL"]}
        found[default] = _Found(values, "DATABASE_URL")
    elif shared.get("DATABASE_URL", "").strip() and "DATABASE_URL" not in inherited.variables:
        values = {**inherited.variables, "DATABASE_URL": shared["DATABASE_URL"]}
        found[default] = _Found(values, ".env", inherited.problem)
    elif not found or "BOUNTY_ENV" in {**shared, **own}:
        found.setdefault(default, inherited)
    return found


def _environment(
    name: str,
    entry: _Found,
    merged: Mapping[str, str],
    tables: Mapping[str, object],
    problem: ConfigurationError | None,
) -> Environment:
    problem = problem or entry.problem or _name_problem(name)
    policy, policy_problem = _policy(name, tables)
    problem = problem or policy_problem
    text = entry.variables.get("DATABASE_URL", "").strip()
    url: DatabaseUrl | None = None
    if text and problem is None:
        url, problem = _target_url(text, entry.source, policy, merged)
    elif problem is None and entry.source.startswith(".env."):
        problem = ConfigurationError(
            f"{entry.source} holds no DATABASE_URL",
            hint=f"Write DATABASE_URL=postgresql://... into {entry.source}.",
        )
    scope = {**merged, **entry.variables}
    alert_urls = tuple(scope[channel] for channel in policy.channels if scope.get(channel))
    ping_url, watch_ping_url = (
        scope.get(variable) or None if variable else None
        for variable in (policy.ping, policy.watch_ping)
    )
    alerts, alerts_problem = alerts_of(name, policy, tables, POLICY_FILE)
    return Environment(
        name, url, policy, problem, alert_urls, ping_url, alerts, alerts_problem, watch_ping_url
    )


def _name_problem(name: str) -> ConfigurationError | None:
    if _NAME.fullmatch(name):
        return None
    return ConfigurationError(
        f"{name!r} cannot be the name of an environment",
        hint="Use lower-case letters, digits and _ (it becomes part of asset and job names).",
    )


def _policy(name: str, tables: Mapping[str, object]) -> tuple[Policy, ConfigurationError | None]:
    unknown = sorted(set(tables) - {"alerts", "defaults", "environments", "masking"})
    defaults, declared = tables.get("defaults", {}), tables.get("environments", {})
    layer = declared.get(name, {}) if isinstance(declared, dict) else None
    if isinstance(layer, dict):  # what alerting goes by is read apart: see `alerts_of`
        layer = {key: value for key, value in layer.items() if key != "alerts"}
    if unknown or not isinstance(defaults, dict) or not isinstance(layer, dict):
        what = f"[{unknown[0]}]" if unknown else "defaults or environments"
        return Policy.of(name), ConfigurationError(
            f"{POLICY_FILE} has something unknown: {what}",
            hint="It holds the tables [defaults], [environments.NAME], [alerts] and [masking], no "
            "others.",
        )
    try:
        return Policy.of(name, defaults, layer), None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the policy"
        return Policy.of(name), ConfigurationError(
            f"{POLICY_FILE}, environment {name}: {where}: {first['msg']}",
            hint=f"Correct it in [defaults] or [environments.{name}]; the fields are listed in "
            "docs/reference/settings.md.",
        )


def _target_url(
    text: str, source: str, policy: Policy, merged: Mapping[str, str]
) -> tuple[DatabaseUrl | None, ConfigurationError | None]:
    try:
        return insisted(DatabaseUrl.parse(text), policy.tls, merged), None
    except ConfigurationError as error:
        return None, ConfigurationError(f"{source}: {error}", hint=error.hint)


def _age_identities(
    merged: Mapping[str, str], home: Path
) -> tuple[tuple[str, ...], ConfigurationError | None]:
    try:
        return age_identities(merged, home), None
    except ConfigurationError as error:
        return (), error


def _object_store(
    merged: Mapping[str, str],
) -> tuple[ObjectStoreSettings | None, ConfigurationError | None]:
    try:
        return object_store_settings(merged), None
    except ConfigurationError as error:
        return None, error


def _copy_object_store(
    merged: Mapping[str, str], first: ObjectStoreSettings | None
) -> tuple[ObjectStoreSettings | None, ConfigurationError | None]:
    try:
        return copy_object_store_settings(merged, first), None
    except ConfigurationError as error:
        return None, error
