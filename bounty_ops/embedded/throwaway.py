"""A PostgreSQL server for one restore: no network, no durability, and gone afterwards."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from psycopg import sql

from bounty_ops.embedded import cluster, postmaster
from bounty_ops.embedded.disk import writing_to
from bounty_ops.embedded.keeping import Kept
from bounty_ops.embedded.locks import FileLock
from bounty_ops.embedded.privileges import server_user
from bounty_ops.environments import DatabaseUrl
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bounty_ops.postgres.programs import Programs

_PORT: Final = 5432
_NAME: Final = "throwaway"
_PREFIX: Final = "cluster-"
#: sun_path holds 108 bytes, and PostgreSQL makes a lock file next to the socket.
_LONGEST_SOCKET_PATH: Final = 100
_PLACES: Final = "places"
_OWNER: Final = "owner"
_SWEEPING: Final = "sweep.lock"
_LONGEST_BASE: Final = 60
_GRACE_SECONDS: Final = 5.0
_ROOMY_SHARED_MEMORY: Final = 512 * 1024**2

#: If the machine crashes the copy is worthless anyway: the verification is run again.
_SETTINGS: Final = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "max_connections": "40",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    # Statements of a restore hold a customer's rows; they do not belong into any log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@contextmanager
def throwaway_cluster(
    programs: Programs,
    *,
    work_dir: Path,
    databases: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
) -> Iterator[DatabaseUrl]:
    """A fresh, empty cluster for the length of the block, reachable by a private socket only.

    Its keeper stops it and deletes its files when this process ends, in whatever way.

    Args:
        programs: the PostgreSQL to run; needs `initdb` and `postgres`.
        work_dir: where its files go; as large as the databases that will be restored.
        databases: empty databases to create.
        settings: of the server, over those that make it fast and forgetful.

    Yields:
        The superuser's URL of the database `postgres`.

    Raises:
        EmbeddedError: it cannot be made or started.
    """
    with ExitStack() as stack:
        with writing_to(work_dir):
            home = _home(work_dir, stack)
            made, url = _cluster(programs, home, settings or {})
        with cluster.running(made):
            _create(url, databases)
            yield url


def _home(work_dir: Path, stack: ExitStack) -> Path:
    """A new directory of our own, until the stack ends; its lock tells others that it is in use."""
    work_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(work_dir / _SWEEPING) as sweeping:
        sweeping.lock(exclusive=True, what="clearing the work directory")
        _sweep(work_dir)
        home = work_dir / f"{_PREFIX}{secrets.token_hex(6)}"
        try:
            home.mkdir(mode=0o700)
            mine = FileLock(home / _OWNER)
            mine.lock(exclusive=True, what="a new directory")
            stack.callback(mine.close)
            stack.callback(_delete, home)
        except BaseException:  # Ctrl-C is one, and may come between any two of them
            shutil.rmtree(home, ignore_errors=True)
            raise
    return home


def _cluster(
    programs: Programs, home: Path, wanted: Mapping[str, str]
) -> tuple[cluster.Cluster, DatabaseUrl]:
    user = server_user()
    place = user.place(home / "server")
    socket = _socket_directory(place)
    user.hand_over(socket)
    remove = tuple(dict.fromkeys((socket, place, home)))
    (home / _PLACES).write_text("\n".join(map(str, remove)), encoding="utf-8")
    settings = {
        **_SETTINGS,
        **wanted,
        "unix_socket_directories": str(socket),
        "dynamic_shared_memory_type": _dynamic_shared_memory(),
    }
    made = cluster.Cluster(
        programs=programs,
        user=user,
        data=place / "data",
        run=home,
        log=home / "log",
        settings=lambda: settings,
        remove=remove,
        name=_NAME,
    )
    return made, DatabaseUrl(str(socket), _PORT, "postgres", cluster.SUPERUSER)


def _create(url: DatabaseUrl, databases: Sequence[str]) -> None:
    if databases:
        with connect(url, application_name="bounty-ops embedded") as connection:
            for database in databases:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def _socket_directory(place: Path) -> Path:
    inside = place / "s"
    if len(str(inside / f".s.PGSQL.{_PORT}.lock")) <= _LONGEST_SOCKET_PATH and not re.search(
        r"[\s,\"'@]", str(inside)
    ):
        inside.mkdir(mode=0o700)
        return inside
    base = tempfile.gettempdir()
    if len(base) > _LONGEST_BASE:
        base = "/tmp"  # noqa: S108 - the directory in it is 0700 and has a name of its own
    return Path(tempfile.mkdtemp(prefix="bops-", dir=base))


def _dynamic_shared_memory() -> str:
    """Containers often have 64 MB of /dev/shm; a parallel index build needs more than that."""
    try:
        free = shutil.disk_usage("/dev/shm").free  # noqa: S108 - only measured
    except OSError:
        free = 0
    return "posix" if free >= _ROOMY_SHARED_MEMORY else "mmap"


def sweep_leftovers(work_dir: Path) -> int:
    """Delete throw-away clusters whose owner and keeper were both killed; says how many."""
    if not work_dir.is_dir():
        return 0
    with FileLock(work_dir / _SWEEPING) as sweeping:
        sweeping.lock(exclusive=True, what="clearing the work directory")
        return _sweep(work_dir)


def _sweep(work_dir: Path) -> int:
    swept = 0
    for home in sorted(work_dir.glob(f"{_PREFIX}*")):
        with FileLock(home / _OWNER) as owner:
            unused = owner.try_lock(exclusive=True) and not Kept(home, _NAME).kept()
            if unused:
                _delete(home)
                swept += 1
    return swept


def _delete(home: Path) -> None:
    """Delete a throw-away cluster's files, after its server if that was orphaned."""
    try:
        places = [Path(line) for line in (home / _PLACES).read_text("utf-8").splitlines()]
    except OSError:
        places = [home]
    for place in places:
        data = place / "data"
        if data.is_dir():
            postmaster.clear_remains(data, grace_seconds=_GRACE_SECONDS)
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
