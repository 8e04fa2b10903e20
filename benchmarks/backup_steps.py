"""What `benchmarks.backup` measures, each step in a process of its own.

``python -m benchmarks.backup_steps NAME``, with what it needs as JSON in a variable. It prints
one line of JSON: seconds of the step alone, CPU seconds, and the peak of its memory.
"""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bounty_ops.backup import plan_backup, take_backup
from bounty_ops.embedded import throwaway_cluster
from bounty_ops.environments import (
    BucketLocation,
    DatabaseUrl,
    Environment,
    ObjectStoreSettings,
    Policy,
)
from bounty_ops.journal import Journal
from bounty_ops.journal.records import Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.fingerprint import fingerprint_tables
from bounty_ops.postgres.pinned import pin_settings
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.run import run_program, start_program
from bounty_ops.restore import verify_backup

#: The variable with what a step is given.
GIVEN: Final = "BOUNTY_OPS_BENCHMARK"
NAME: Final = "benchmark"
JOBS: Final = 2
#: An older pg_dump knows gzip only.
ZSTD_SINCE: Final = 16


def _backup(given: dict[str, Any]) -> dict[str, Any]:
    policy = Policy.of(NAME, {}, {"compare": given.get("compare", "content")})
    environment = Environment(NAME, _url(given), policy)
    journal = Journal(ObjectStore(_store(given)))
    started = time.monotonic()
    plan = plan_backup(environment, journal.store, now=datetime.now(UTC), taken_by="benchmark")
    manifest = take_backup(plan, _url(given), journal)
    seconds = time.monotonic() - started
    return {"seconds": seconds, "id": manifest.id, "bytes": manifest.size_bytes}


def _verify(given: dict[str, Any]) -> dict[str, Any]:
    journal = Journal(ObjectStore(_store(given)))
    manifest = journal.read_manifest(NAME, given["id"])
    started = time.monotonic()
    proof = verify_backup(manifest, journal, work_dir=Path(given["work_dir"]))
    seconds = time.monotonic() - started
    if proof.verdict is not Verdict.PROVED:
        raise SystemExit(f"{proof.verdict}: {proof.reason} {proof.differences[:3]}")
    steps = {name: getattr(proof, f"{name}_seconds") for name in ("fetch", "restore", "compare")}
    return {"seconds": seconds, **steps}


def _fingerprints(given: dict[str, Any]) -> dict[str, Any]:
    started = time.monotonic()
    with connect(_url(given), application_name="benchmark") as connection:
        pin_settings(connection)
        fingerprint_tables(connection)
    return {"seconds": time.monotonic() - started}


def _pg_dump(given: dict[str, Any]) -> dict[str, Any]:
    """Like ``pg_dump -Fc -Z zstd:1 > /dev/null``, or into a file to be restored from."""
    quick = "zstd:1" if given["major"] >= ZSTD_SINCE else "1"
    arguments = ["--format=custom", f"--compress={quick}", "--no-password", "--no-sync"]
    arguments += [f"--file={given['file']}"]
    started = time.monotonic()
    run_program(find_programs(given["major"], server=True), "pg_dump", arguments, url=_url(given))
    return {"seconds": time.monotonic() - started}


def _pg_restore(given: dict[str, Any]) -> dict[str, Any]:
    """Bare ``pg_restore -j 2`` into an empty database of a throw-away cluster that runs already."""
    programs = find_programs(given["major"], server=True)
    with throwaway_cluster(
        programs, work_dir=Path(given["work_dir"]), databases=("restored",)
    ) as server:
        arguments = ["--no-password", f"--jobs={JOBS}", "--dbname=restored", given["file"]]
        started = time.monotonic()
        run_program(programs, "pg_restore", arguments, url=server.with_database("restored"))
        return {"seconds": time.monotonic() - started}


def _aws(given: dict[str, Any]) -> dict[str, Any]:
    """``pg_dump -Fc | aws s3 cp - s3://...``, as operators write it."""
    store = _store(given)
    target = f"s3://{store.location.bucket}/{store.location.key('aws')}"
    endpoint = store.endpoint_url or ""
    copy = [given["aws"], "s3", "cp", "-", target, "--endpoint-url", endpoint, "--only-show-errors"]
    variables = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": store.access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": store.secret_access_key or "",
        "AWS_DEFAULT_REGION": store.region or "",
    }
    options = ["--format=custom", "--no-password", *given["options"]]
    started = time.monotonic()
    with start_program(
        find_programs(given["major"], server=True), "pg_dump", options, url=_url(given)
    ) as program:
        subprocess.run(copy, stdin=program.stdout, env=variables, check=True)
        program.wait()
    return {"seconds": time.monotonic() - started}


_STEPS: Final = {
    "pg_dump": _pg_dump,
    "fingerprints": _fingerprints,
    "backup": _backup,
    "aws": _aws,
    "pg_restore": _pg_restore,
    "verify": _verify,
}
#: The steps whose own process does the work.
_OURS: Final = frozenset({"backup", "verify"})


def _url(given: dict[str, Any]) -> DatabaseUrl:
    values = dict(given["url"])
    return DatabaseUrl(**{**values, "parameters": tuple(map(tuple, values["parameters"]))})


def _store(given: dict[str, Any]) -> ObjectStoreSettings:
    return ObjectStoreSettings(BucketLocation(*given["location"]), **given["store"])


def _run_step(name: str) -> None:
    found = _STEPS[name](json.loads(os.environ[GIVEN]))
    # ru_maxrss would begin with that of the process that started this one.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    for whose, who in (("process", resource.RUSAGE_SELF), ("programs", resource.RUSAGE_CHILDREN)):
        used = resource.getrusage(who)
        found[f"{whose}_seconds"] = used.ru_utime + used.ru_stime
    if name not in _OURS:
        found["process_seconds"] = 0.0  # it only started the program
    found["peak_bytes"] = int(peak[1]) * 1024 if peak else 0
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    _run_step(sys.argv[1])
