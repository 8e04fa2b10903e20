"""Whether a server has room, where that can be seen; and which extensions it has."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops.doctor.result import CheckResult, State, ok

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

_GIB: Final = 1024**3
#: Bounty's guide asks for 1 GB.
_NEEDED_BYTES: Final = _GIB
#: The line of postmaster.pid with the second of the start (PostgreSQL, miscadmin.h).
_START_LINE: Final = 2

_PLACE: Final = """
SELECT CASE WHEN pg_catalog.pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
            THEN current_setting('data_directory') END,
       extract(epoch FROM pg_catalog.pg_postmaster_start_time())::bigint,
       pg_catalog.pg_database_size(current_database())
"""


def storage(subject: str, connection: psycopg.Connection[TupleRow]) -> CheckResult:
    """The free space of the server's data directory, if it is certain that it is on this machine.

    SQL has no way to ask for free space. A directory of that name may be here by chance, so the
    server's own lock file in it has to say the second at which this server started.
    """
    row = connection.execute(_PLACE).fetchone()
    directory, started, size = row or (None, 0, 0)
    holds = f"the database holds {size / _GIB:.2f} GiB"
    if directory is None or not _is_here(Path(directory), started):
        return CheckResult(
            "storage",
            subject,
            State.UNKNOWN,
            f"the server's disk cannot be seen from here; {holds}",
            "Look at the provider's console, or run doctor where the server runs: 1 GiB should be "
            "free at least, and as much as the largest table for a migration that rewrites it.",
        )
    free = shutil.disk_usage(directory).free
    found = f"{free / _GIB:.1f} GiB free in the server's data directory; {holds}"
    if free >= _NEEDED_BYTES:
        return ok("storage", subject, found)
    remedy = "Make room on the server before its disk is full: it stops then."
    return CheckResult("storage", subject, State.FAILED, found, remedy)


def _is_here(directory: Path, started: int) -> bool:
    try:
        lines = (directory / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        said = int(lines[_START_LINE])
    except (OSError, ValueError, IndexError):
        return False
    # The file is written some moments before the server takes its own time.
    return abs(said - started) <= _TOLERANCE_SECONDS and os.path.isdir(directory)  # noqa: PTH112


_TOLERANCE_SECONDS: Final = 5


def extensions(subject: str, connection: psycopg.Connection[TupleRow]) -> CheckResult:
    """None is required; where queries are not measured for want of one, that is said."""
    rows = connection.execute(
        "SELECT extname FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql' ORDER BY 1"
    ).fetchall()
    names = [row[0] for row in rows]
    found = f"none is required; installed: {', '.join(names) or 'none'}"
    if "pg_stat_statements" not in names:
        found += "; without pg_stat_statements the cost of queries is unknown"
    return ok("extensions", subject, found)
