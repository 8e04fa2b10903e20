"""Running pg_dump inside a locked snapshot, and reading what it writes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, Protocol

from bounty_ops.backup.compression import compression_argument
from bounty_ops.errors import ProgramNotFound
from bounty_ops.postgres.programs import Programs, find_programs, installed_programs
from bounty_ops.postgres.snapshot import APPLICATION_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

#: A firewall that forgets a silent connection must not leave pg_dump waiting for ever.
_CONNECTION: Final = {
    "application_name": APPLICATION_NAME,
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "6",
}


def dump_programs(server_major: int) -> Programs:
    """The client programs to dump a server with: of its own major, else the next newer there is.

    A dump by a newer program restores only into that newer major, so it cannot be verified
    against a server like its source; it is still better than no backup.

    Raises:
        ProgramNotFound: all there are are older than the server, or have known holes.
    """
    try:
        return find_programs(server_major)
    except ProgramNotFound:
        newer = [
            one for one in installed_programs() if one.major > server_major and one.outdated is None
        ]
        if not newer:
            raise
        return min(newer, key=lambda one: one.major)


def dump_arguments(
    programs: Programs, *, snapshot: str, compression: str, lock_timeout_seconds: float
) -> list[str]:
    """The arguments of pg_dump; where to connect and as whom is never among them."""
    return [
        "--format=custom",
        "--no-password",
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={max(1, round(lock_timeout_seconds * 1000))}",
        compression_argument(programs, compression),
    ]


def dump_url(url: DatabaseUrl) -> DatabaseUrl:
    """The address with the name under which operators find our sessions."""
    kept = tuple(pair for pair in url.parameters if pair[0] not in _CONNECTION)
    return dataclasses.replace(url, parameters=(*kept, *_CONNECTION.items()))


class Readable(Protocol):
    """What has bytes to read."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; none at the end."""


class CountedStream:
    """A pipe that tells how much has passed through it, and notices when something else failed."""

    def __init__(
        self, source: Readable, *, check: Callable[[], None], progress: Callable[[int], None]
    ) -> None:
        self._source = source
        self._check = check
        self._progress = progress
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes; none at the end."""
        self._check()
        chunk = self._source.read(size)
        self.count += len(chunk)
        self._progress(self.count)
        return chunk
