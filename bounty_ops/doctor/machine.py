"""Whether this machine has what the local servers need."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from bounty_ops.doctor.result import CheckResult, State, guarded, ok
from bounty_ops.embedded.seaweed import weed
from bounty_ops.postgres.programs import find_programs

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import Settings

_THIS = "this machine"
_NEEDED_BYTES = 1024**3
_GIB = 1024**3


def state_directory(settings: Settings) -> CheckResult:
    """Whether `.bounty-ops` is there, or can be made, and may be written into."""
    existing = _existing(settings.state_dir)
    if os.access(existing, os.W_OK | os.X_OK):
        return ok("state directory", _THIS, str(settings.state_dir))
    return CheckResult(
        "state directory",
        _THIS,
        State.FAILED,
        f"{existing} may not be written into",
        "Give this user the right to write there, or set BOUNTY_OPS_HOME to another directory.",
    )


def disk_space(settings: Settings) -> CheckResult:
    """Whether a restore for a verification, and the local servers, have room."""
    free = shutil.disk_usage(_existing(settings.state_dir)).free
    found = f"{free / _GIB:.1f} GiB free in {settings.state_dir}"
    if free >= _NEEDED_BYTES:
        return ok("disk space", _THIS, found)
    return CheckResult(
        "disk space",
        _THIS,
        State.FAILED,
        found,
        "Make room (1 GiB at least, and more than the database that is verified), or set "
        "BOUNTY_OPS_HOME to a larger disk.",
    )


def local_servers(settings: Settings) -> CheckResult:
    """Whether the programs of the servers are installed that would have to stand in."""
    needs_database = settings.ops_url is None or any(
        environment.can_be_embedded for environment in settings.environments.values()
    )
    needs_bucket = settings.object_store is None and settings.object_store_problem is None
    return guarded("server programs", _THIS, lambda: _server_programs(needs_database, needs_bucket))


def _server_programs(needs_database: bool, needs_bucket: bool) -> CheckResult:
    # A verification restores into a throw-away server, so this is needed in any case.
    programs = find_programs(server=True)
    roles = "stands in where no database is set" if needs_database else "for verifications"
    found = f"PostgreSQL {programs.version} {roles}"
    if needs_bucket:
        weed()
        found += ", SeaweedFS stands in for the bucket"
    return ok("server programs", _THIS, found)


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())
