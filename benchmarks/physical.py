"""A backup beside those of pgBackRest and Barman: ``python -m benchmarks.physical [rows]``.

Those copy the files of a whole cluster, which also serves to go back to a point in time and needs
a login on the database's machine; a backup of ours is one database as statements, from anywhere.
So only time, size and CPU are compared. On Debian their packages are `pgbackrest` and
`barman-cli-cloud`; what is not on PATH is left out. PostgreSQL 15 is the newest of Debian 12.
"""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import os
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.backup import Bench, RoomyStore, machine
from bounty_ops.embedded import ports, seaweed
from bounty_ops.embedded.sharing import using
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import find_programs
from bounty_ops_tests.fix_servers import running_server

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings

MAJOR: Final = 15
_SETTINGS: Final = {"wal_level": "replica", "max_wal_senders": "4"}


def _run(argv: list[str], variables: dict[str, str]) -> tuple[float, float]:
    """Seconds, and CPU seconds of the program with all that it started."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(argv, env={**os.environ, **variables}, check=True, capture_output=True)
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, used


def _pgbackrest(url: DatabaseUrl, socket: Path, home: Path) -> tuple[float, float, int]:
    """A full backup into a directory: it speaks to buckets by https only."""
    with connect(url, application_name="benchmark") as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    repository = home / "pgbackrest"
    (repository / "log").mkdir(parents=True)
    base = [
        "pgbackrest",
        "--stanza=benchmark",
        f"--pg1-path={row[0] if row else ''}",
        f"--pg1-socket-path={socket}",
        f"--pg1-port={url.port}",
        f"--pg1-user={url.user}",
        f"--repo1-path={repository}",
        f"--lock-path={repository}/lock",
        f"--log-path={repository}/log",
    ]
    options = ["--type=full", "--compress-type=zst", "--compress-level=1", "--process-max=2"]
    options += ["--start-fast", "--no-archive-check", "--repo1-retention-full=1"]
    variables = {"PGPASSWORD": url.password or ""}
    _run([*base, "stanza-create"], variables)
    seconds, used = _run([*base, *options, "backup"], variables)
    files = (repository / "backup").rglob("*")
    return seconds, used, sum(one.stat().st_size for one in files if one.is_file())


def _barman(url: DatabaseUrl, socket: Path, store: ObjectStoreSettings) -> tuple[float, float, int]:
    """A full backup into the bucket, compressed by gzip: the best that its version 3.4 has."""
    argv = ["barman-cloud-backup", "--gzip", "--jobs", "2", "--immediate-checkpoint"]
    argv += ["--endpoint-url", store.endpoint_url or "", "-h", str(socket), "-p", str(url.port)]
    argv += ["-U", url.user, f"s3://{store.location.bucket}", "barman"]
    variables = {
        "PGPASSWORD": url.password or "",
        "AWS_ACCESS_KEY_ID": store.access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": store.secret_access_key or "",
        "AWS_DEFAULT_REGION": store.region or "",
    }
    seconds, used = _run(argv, variables)
    return seconds, used, sum(one.size_bytes for one in ObjectStore(store).list("barman"))


def _row(words: str, seconds: float, used: float, size: int) -> None:
    sys.stdout.write(f"| {words} | {seconds:.1f} s | {used:.1f} s | {size / 1e6:.0f} MB |\n")
    sys.stdout.flush()


def main(rows: int = 1_000_000) -> None:
    """Measure each of them once, on one cluster with one database."""
    programs = find_programs(MAJOR, server=True)
    with tempfile.TemporaryDirectory(prefix="bounty-bench-") as directory:
        home = Path(directory)
        home.chmod(0o711)  # the server may run as another user
        socket = home / "socket"
        socket.mkdir()
        socket.chmod(0o777)
        chosen = dict(zip(seaweed.COMPONENTS, ports.choose(5, pairs=True), strict=True))
        secret = secrets.token_urlsafe(24)
        store = RoomyStore(home / "s3", home / "weed.log", chosen, "benchmark", secret)
        settings = {**_SETTINGS, "unix_socket_directories": str(socket)}
        (home / "pg").mkdir()
        with (
            using(home, seaweed.NAME, prepare=store.program, wait_ready=store.wait_ready),
            running_server(programs, home / "pg", settings) as url,
        ):
            bench = Bench(url, store.settings(), home, MAJOR)
            database = bench.seeded(rows)
            sys.stdout.write(
                f"PostgreSQL {programs.version}, {rows:,} rows of Bounty's tables, {machine()}\n\n"
                "| what | seconds | CPU (the server's only for ours) | size |\n|---|---|---|---|\n"
            )
            ours = bench.step("backup", database)
            _row("our backup, gzip:1", ours.seconds, ours.cpu.total, ours.detail["bytes"])
            if shutil.which("pgbackrest"):
                _row(
                    "pgBackRest, zst:1, 2 processes, into a directory",
                    *_pgbackrest(url, socket, home),
                )
            if shutil.which("barman-cloud-backup"):
                _row("barman-cloud-backup, gzip, 2 jobs", *_barman(url, socket, store.settings()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
