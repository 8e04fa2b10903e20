"""How pg_dump is told to compress, and what it can do.

Compressing inside pg_dump keeps an archive an ordinary one that pg_restore reads. zstd:1 was
faster than no compression at all when that was measured, and smaller than gzip; pg_dump knows it
from version 16 on, and only if it was built with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ProgramFailed
from bounty_ops.postgres.run import run_program

if TYPE_CHECKING:
    from bounty_ops.postgres.programs import Programs

#: What every pg_dump can do: built with zlib, as all packages are.
FALLBACK: Final = "gzip:1"
_METHODS_SINCE: Final = 16
_NOWHERE: Final = "/nonexistent/bounty-ops"


def usable_compression(programs: Programs, wanted: str) -> str:
    """The compression that these programs can do: `wanted`, or gzip:1 where they cannot."""
    method = wanted.partition(":")[0]
    if method in {"gzip", "none"}:
        return wanted
    if programs.major < _METHODS_SINCE or not _built_in(programs, wanted):
        return FALLBACK
    return wanted


def compression_argument(programs: Programs, compression: str) -> str:
    """The option of pg_dump for a compression that it can do; older ones know levels only."""
    method, _, level = compression.partition(":")
    if programs.major >= _METHODS_SINCE:
        return f"--compress={compression}"
    return "--compress=0" if method == "none" else f"--compress={level or '6'}"


def _built_in(programs: Programs, compression: str) -> bool:
    """Ask by a dump of nothing: the compression is checked before the connection is tried."""
    arguments = ["--format=custom", f"--compress={compression}", f"--host={_NOWHERE}", "nothing"]
    try:
        run_program(programs, "pg_dump", arguments)
    except ProgramFailed as failure:
        return _NOWHERE in str(failure)
    return True
