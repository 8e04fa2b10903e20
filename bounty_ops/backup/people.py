"""A dump for people: to look at, to compare, to take along. Never a backup.

It is not fingerprinted, nobody restores it to see whether that works, and nothing lists it. pg_dump
takes its own locks and its own snapshot here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, Literal

from bounty_ops.backup.compression import compression_argument, usable_compression
from bounty_ops.backup.dump import dump_programs, dump_url
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.preflight import refuse_pooler_address
from bounty_ops.postgres.run import start_program
from bounty_ops.postgres.server import server_facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl, Policy
    from bounty_ops.postgres.programs import Programs

Contents = Literal["everything", "schema", "data"]
_SECTIONS: Final[dict[Contents, list[str]]] = {
    "everything": [],
    "schema": ["--schema-only"],
    "data": ["--data-only"],
}
_CHUNK_BYTES: Final = 1 << 20
_WARNING: Final = "pg_dump: warning: "


@dataclass(frozen=True)
class PeopleDump:
    """What was written."""

    size_bytes: int
    sha256: str
    client_version: str
    warnings: tuple[str, ...]
    """What pg_dump had to say, such as that circular references make the rows hard to load."""


def dump_for_people(
    url: DatabaseUrl,
    policy: Policy,
    sink: IO[bytes],
    *,
    contents: Contents,
    plain: bool,
    progress: Callable[[int], None],
) -> PeopleDump:
    """Write a dump into `sink`, all of it or an exception.

    Raises:
        BackupError: the address is a transaction pooler's.
        PostgresError: the server or pg_dump said no.
        OSError: `sink` did.
    """
    refuse_pooler_address(url)
    with connect(url, application_name="bounty-ops db dump", read_only=True) as connection:
        programs = dump_programs(server_facts(connection).major)
    arguments = _arguments(programs, policy, contents, plain=plain)
    digest, written = hashlib.sha256(), 0
    with start_program(programs, "pg_dump", arguments, url=dump_url(url)) as program:
        while chunk := program.stdout.read(_CHUNK_BYTES):
            sink.write(chunk)
            digest.update(chunk)
            written += len(chunk)
            progress(written)
        program.wait()
        said = program.error_lines()
    warnings = [line.removeprefix(_WARNING) for line in said if line.startswith(_WARNING)]
    return PeopleDump(written, digest.hexdigest(), programs.version, tuple(warnings))


def _arguments(programs: Programs, policy: Policy, contents: Contents, *, plain: bool) -> list[str]:
    wait = max(1, round(policy.lock_timeout_seconds * policy.lock_attempts * 1000))
    arguments = ["--no-password", f"--lock-wait-timeout={wait}", *_SECTIONS[contents]]
    if plain:
        return [*arguments, "--format=plain"]
    compression = usable_compression(programs, policy.compression)
    return [*arguments, "--format=custom", compression_argument(programs, compression)]
