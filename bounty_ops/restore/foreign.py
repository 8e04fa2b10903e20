"""Restoring an archive of which nothing is known but the archive, into a throw-away server."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.errors import RestoreError
from bounty_ops.journal.records import Manifest, ObjectRecord
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.run import run_program
from bounty_ops.restore.archive_header import ArchiveHeader, read_encoding
from bounty_ops.restore.fetch import Fetched
from bounty_ops.restore.findings import Inconclusive, Refuted
from bounty_ops.restore.observing import observe
from bounty_ops.restore.restoring import (
    DRILL_OPTIONS,
    RestoreFailed,
    restore_archive,
    restore_fetched,
)
from bounty_ops.restore.sandbox import make_sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs
    from bounty_ops.restore.judge import Observation

_MISSING_ROLE: Final = re.compile(r'ERROR:  role "(.*)" does not exist')
#: A role may be named only by what another missing role was to grant.
_ROUNDS: Final = 5
_EXISTS: Final = "SELECT pg_catalog.to_regclass('bounty_ops.alembic_version') IS NOT NULL"
_REVISION: Final = "SELECT version_num FROM bounty_ops.alembic_version ORDER BY 1"


@dataclass(frozen=True)
class _Foreign:
    """An archive that somebody else made."""

    path: Path
    header: ArchiveHeader
    programs: Programs
    environment: str


def restore_once(
    path: Path, header: ArchiveHeader, programs: Programs, *, environment: str, work_dir: Path
) -> tuple[Observation, str | None]:
    """What a copy of the archive holds, and its migration revision.

    Raises:
        RestoreError: it does not restore, or cannot be restored here.
        PostgresError: the throw-away server failed.
    """
    plan = _Foreign(path, header, programs, environment)
    try:
        with throwaway_cluster(plan.programs, work_dir=work_dir) as cluster:
            blank = _with_roles(plan, cluster)
            sandbox = make_sandbox(cluster, blank)
            # One job: parallel ones can leave a partitioned index invalid, which would be recorded.
            restore_archive(plan.programs, sandbox, Fetched(plan.path), jobs=1)
            return observe(sandbox.url, content=False), _revision(sandbox.url)
    except Refuted as finding:
        told = finding.difference
        raise RestoreError(
            f"{plan.path} does not restore: {told.object}: {told.found}",
            hint="It is damaged, or it holds a part of a database that needs the rest "
            "(pg_dump -n, -t, --data-only). Import archives of whole databases.",
        ) from None
    except Inconclusive as finding:
        raise RestoreError(
            f"{plan.path} could not be restored here: {finding}",
            hint="Mend that on this machine, or import it on another one.",
        ) from None


def _with_roles(plan: _Foreign, cluster: DatabaseUrl) -> Manifest:
    """What the sandbox has to be like. Roles are not in an archive: ask for each that it names."""
    script = run_program(plan.programs, "pg_restore", ["--schema-only", "--file=-", str(plan.path)])
    encoding = read_encoding(script)
    roles: list[str] = []
    options = [one for one in DRILL_OPTIONS if one != "--exit-on-error"]
    for _ in range(_ROUNDS):
        blank = _blank(plan, encoding, roles)
        sandbox = make_sandbox(cluster, blank)
        try:
            restore_fetched(
                plan.programs,
                sandbox.url,
                Fetched(plan.path),
                jobs=1,
                options=[*options, "--schema-only"],
            )
        except RestoreFailed as failure:
            named = {m[1] for line in failure.lines for m in _MISSING_ROLE.finditer(line)}
            missing = sorted(named - set(roles))
        else:
            break
        if not missing:  # it fails for another reason, which the real restore tells
            break
        roles += missing
    return _blank(plan, encoding, roles)


def _blank(plan: _Foreign, encoding: str, roles: list[str]) -> Manifest:
    """A manifest that describes an empty place, as `make_sandbox` wants it."""
    # An archive does not tell the locale of its source. This one sorts alike on every machine.
    locale = "C.UTF-8" if encoding == "UTF8" else "C"
    about: dict[str, list[dict[str, Any]]] = {
        "about_database": [{"encoding": encoding, "collate": locale, "ctype": locale}],
        "about_roles": [{"name": name} for name in roles],
    }
    now = datetime.now(UTC)
    return Manifest(
        id="blank",
        environment=plan.environment,
        database=plan.header.database,
        taken_at=now,
        finished_at=now,
        seconds=0,
        taken_by="",
        server_version=plan.header.server_version,
        client_version=plan.header.client_version,
        server_major=plan.programs.major,
        compression="none",
        objects=(ObjectRecord(key="blank", size_bytes=0, sha256="0" * 64),),
        tables=(),
        inventory={
            **{name: [json.dumps(line) for line in lines] for name, lines in about.items()},
            "schemas": ["public: as initdb makes it"],
        },
    )


def _revision(url: DatabaseUrl) -> str | None:
    with connect(url, application_name="bounty-ops import", read_only=True) as connection:
        row = connection.execute(_EXISTS).fetchone()
        if row is None or not row[0]:
            return None
        rows = connection.execute(_REVISION).fetchall()
    return ",".join(str(one[0]) for one in rows) or None
