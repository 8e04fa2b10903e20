"""DAGSTER_HOME of the local stack, and the variables that its processes are given."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own
from psycopg import sql

from bounty_ops.embedded.disk import writing_to
from bounty_ops.embedded.ports import LOOPBACK
from bounty_ops.environments.model import DEVELOPMENT
from bounty_ops.environments.tls import for_libpq
from bounty_ops.errors import EmbeddedError
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.embedded.stand_ins import Needs
    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings, Settings

LOCATION: Final = "bounty-ops"
MODULE: Final = "bounty_ops.definitions"
_SCHEMA: Final = "dagster"
_INSTANCE: Final = "dagster.yaml"


def write(home: Path, settings: Settings, *, code_port: int, storage: Mapping[str, str]) -> None:
    """Write the instance's and the workspace's file.

    Args:
        home: DAGSTER_HOME.
        settings: whose project's `dagster.yaml` is taken, else the one that came with us.
        code_port: where the one code server listens that daemon and webserver share.
        storage: parameters of the connection to the storage; nothing secret.

    Raises:
        EmbeddedError: there is no `dagster.yaml`, or the files cannot be written.
    """
    instance = yaml.safe_load(_instance_file(settings).read_text(encoding="utf-8"))
    instance["storage"]["postgres"]["postgres_db"].setdefault("params", {}).update(storage)
    server = {"host": LOOPBACK, "port": code_port, "location_name": LOCATION}
    workspace = {"load_from": [{"grpc_server": server}]}
    with writing_to(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        # JSON is YAML, and it is the same on every machine.
        (home / _INSTANCE).write_text(json.dumps(instance, indent=1), encoding="utf-8")
        workspace_file(home).write_text(json.dumps(workspace, indent=1), encoding="utf-8")


def workspace_file(home: Path) -> Path:
    """The workspace of the stack: one code server, by its address."""
    return home / "workspace.yaml"


def _instance_file(settings: Settings) -> Path:
    package = Path(__file__).parents[1]
    places = (settings.project_dir, package.parent, package / "_dagster")
    for place in places:
        if (place / _INSTANCE).is_file():
            return place / _INSTANCE
    raise EmbeddedError(
        f"there is no {_INSTANCE} in {settings.project_dir}",
        hint="Run in a checkout of bounty-ops, or set BOUNTY_OPS_HOME to one.",
    )


def storage_parameters(url: DatabaseUrl, *, embedded: bool) -> dict[str, str]:
    """What Dagster's connections need besides login and address.

    In a database of somebody's own its tables go into a schema of their own, since one of them is
    called `alembic_version`; the schema is made if it is missing.

    Raises:
        PostgresError: it cannot be made.
    """
    parameters = for_libpq(dict(url.parameters))
    if not embedded:
        with connect(url, application_name="bounty-ops up") as connection:
            connection.execute(
                sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(_SCHEMA))
            )
        given = parameters.get("options", "")
        parameters["options"] = f"{given} -csearch_path={_SCHEMA}".strip()
    return parameters


def variables(
    settings: Settings, completed: Settings, needs: Needs, *, home: Path, storage: DatabaseUrl
) -> dict[str, str]:
    """The environment of Dagster's processes: ours, with what is embedded set by its name.

    Args:
        settings: as they were set from outside.
        completed: with the embedded servers in.
        needs: what is embedded.
        home: DAGSTER_HOME.
        storage: Dagster's own database.
    """
    result = {
        **os.environ,
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))),
        "PYTHONUNBUFFERED": "1",
        "BOUNTY_OPS_HOME": str(settings.project_dir),
        "DAGSTER_HOME": str(home),
        "DAGSTER_PG_HOST": storage.host,
        "DAGSTER_PG_PORT": str(storage.port),
        "DAGSTER_PG_USER": storage.user,
        "DAGSTER_PG_PASSWORD": storage.password or "",
        "DAGSTER_PG_DB": storage.database,
    }
    if DEVELOPMENT in needs.environments and settings.default_environment == DEVELOPMENT:
        result["DATABASE_URL"] = completed.environments[DEVELOPMENT].require_url().text()
    if needs.ops:
        result["OPS_DATABASE_URL"] = completed.require_ops_url().text()
    if needs.bucket:
        result.update(_bucket_variables(completed.require_object_store()))
    return result


def _bucket_variables(store: ObjectStoreSettings) -> dict[str, str]:
    return {
        "BACKUP_BUCKET": store.location.uri(),
        "AWS_ENDPOINT_URL_S3": store.endpoint_url or "",
        "AWS_REGION": store.region or "",
        "AWS_ACCESS_KEY_ID": store.access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": store.secret_access_key or "",
        "AWS_SESSION_TOKEN": "",  # one of the user's own would not fit to these keys
    }
