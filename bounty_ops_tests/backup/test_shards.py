"""Large tables in objects of their own: the same backup, in more pieces."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from bounty_ops.backup.objects import pattern
from bounty_ops.embedded.processes import wait_until
from bounty_ops.errors import ObjectStoreError, ProgramFailed
from bounty_ops.journal.records import BackupState, Verdict
from bounty_ops.postgres.relations import Relation
from bounty_ops_tests.fix_backups import make_role, run, sessions
from bounty_ops_tests.fix_servers import oldest_and_newest_major

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.fix_backups import Backups

#: Every table with a page of its own is large then.
TINY_GIB = 4096 / 2**30


def sizes(backups: Backups) -> dict[str, int]:
    return {entry.key: entry.size_bytes for entry in backups.store.list("")}


@pytest.mark.parametrize("major", oldest_and_newest_major())
@pytest.mark.many(every=5)
def test_a_database_in_shards_is_proved_on_every_major(
    make_zoo: Callable[..., DatabaseUrl], backups: Backups, major: int
) -> None:
    manifest = backups.take(make_zoo(major), shard_above_gib=TINY_GIB, shard_jobs=3)

    proof = backups.verify(manifest)

    assert len(manifest.shards) > 3
    assert (proof.verdict, proof.differences, proof.reason) == (Verdict.PROVED, (), None)
    assert backups.left_over() == []
    [summary] = backups.journal.summaries()
    assert summary.state is BackupState.COMPLETE
    assert summary.size_bytes == manifest.size_bytes == sum(o.size_bytes for o in manifest.objects)


def test_no_row_of_a_shard_is_in_the_archive_as_well(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    run(
        fresh_database,
        "CREATE TABLE small (v text)",
        "CREATE TABLE large AS SELECT md5(g::text) AS v FROM generate_series(1, 50000) g",
    )

    whole = backups.take(fresh_database)
    parts = backups.take(fresh_database, shard_above_gib=1 / 1024)

    [shard] = parts.shards
    assert shard.table is not None
    assert (shard.table.schema_name, shard.table.name) == ("public", "large")
    assert parts.archive.size_bytes < whole.archive.size_bytes / 10
    assert shard.size_bytes > whole.archive.size_bytes * 0.9


@pytest.mark.parametrize(
    ("schema", "name", "expected"),
    [
        ("public", "bounties", '"public"."bounties"'),
        ("a.b", "c*d?", '"a.b"."c*d?"'),
        ('quo"te', "Caps and blank", '"quo""te"."Caps and blank"'),
    ],
)
def test_a_pattern_fits_one_table(schema: str, name: str, expected: str) -> None:
    table = Relation(1, schema, name, False, (), False, None, None)

    assert pattern(table) == expected


@pytest.mark.soak
def test_tables_with_awkward_names_have_shards(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    for name in ("s1.a*", '"S 1"."b.c"', '"S 1"."q""|$"', '"S 1"."[x]{2}"'):
        schema = '"S 1"' if name.startswith('"') else "s1"
        quoted = name if name.startswith('"') else 's1."a*"'
        run(
            fresh_database,
            f"CREATE SCHEMA IF NOT EXISTS {schema}",
            f"CREATE TABLE {quoted} AS SELECT g FROM generate_series(1, 2000) g",
        )

    manifest = backups.take(fresh_database, shard_above_gib=TINY_GIB, shard_jobs=2)

    assert len(manifest.shards) == 4
    assert backups.verify(manifest).verdict is Verdict.PROVED


def test_a_shard_that_is_gone_or_swapped_refutes(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    for name in ("a", "b"):
        run(fresh_database, f"CREATE TABLE {name} AS SELECT g FROM generate_series(1, 2000) g")
    manifest = backups.take(fresh_database, shard_above_gib=TINY_GIB)
    first, second = (one.key for one in manifest.shards)
    kept = backups.store.get(second)
    backups.store.delete(second)
    backups.store.put_if_absent(second, backups.store.get(first))

    swapped = backups.verify(manifest)
    backups.store.delete(second)
    gone = backups.verify(manifest)

    assert swapped.verdict is gone.verdict is Verdict.REFUTED
    assert swapped.differences[0].object == gone.differences[0].object == second
    [summary] = backups.journal.summaries()
    assert summary.state is BackupState.DAMAGED
    assert summary.problem == "the shard of public.b is missing"
    backups.store.put_if_absent(second, kept)
    assert backups.verify(manifest).verdict is Verdict.PROVED


@pytest.mark.soak
def test_one_dump_that_fails_takes_all_objects_along(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    for name in ("a", "b", "c"):
        run(
            fresh_database,
            f"CREATE TABLE {name} AS SELECT md5(g::text) FROM generate_series(1, 200000) g",
        )

    def kill_one(_done: int) -> None:
        run(
            fresh_database.with_database("postgres"),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'"
            f" AND datname = '{fresh_database.database}' LIMIT 1",
        )

    with pytest.raises(ProgramFailed):
        backups.take(
            fresh_database, kill_one, shard_above_gib=TINY_GIB, shard_jobs=2, compression="none"
        )

    assert backups.keys() == []
    assert backups.left_over() == []
    assert wait_until(lambda: not sessions(fresh_database), 30)
    assert backups.verify(backups.take(fresh_database)).verdict is Verdict.PROVED


def test_objects_that_are_stored_already_go_when_a_later_one_fails(
    fresh_database: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(fresh_database, *(f"CREATE TABLE t{n} AS SELECT 1 AS v" for n in range(6)))
    upload, count, lock = backups.store.upload_stream, [0], threading.Lock()

    def fail_at_the_fourth(*arguments: object, **keywords: object) -> object:
        with lock:
            count[0] += 1
            if count[0] == 4:
                raise ObjectStoreError("the disk of the store is full", hint="x")
        return upload(*arguments, **keywords)  # type: ignore[arg-type] # passed through

    monkeypatch.setattr(backups.store, "upload_stream", fail_at_the_fourth)

    with pytest.raises(ObjectStoreError, match="disk of the store"):
        backups.take(fresh_database, shard_above_gib=TINY_GIB, shard_jobs=1)

    assert count[0] == 4
    assert backups.keys() == []


@pytest.mark.soak
def test_a_role_of_least_privilege_dumps_shards_too(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    make_role(fresh_database, "only_reads")
    run(
        fresh_database,
        "CREATE TABLE a AS SELECT g FROM generate_series(1, 2000) g",
        "GRANT pg_read_all_data TO only_reads",
    )
    url = dataclasses.replace(fresh_database, user="only_reads", password="only_reads")

    manifest = backups.take(url, shard_above_gib=TINY_GIB)

    assert len(manifest.shards) == 1
    assert backups.verify(manifest).verdict is Verdict.PROVED


@pytest.mark.soak
def test_ctrl_c_between_shards_leaves_nothing(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    for name in ("a", "b", "c", "d"):
        run(
            fresh_database,
            f"CREATE TABLE {name} AS SELECT md5(g::text) FROM generate_series(1, 200000) g",
        )
    interrupted = threading.Event()

    def interrupt(_done: int) -> None:
        if not interrupted.is_set() and len(backups.keys()) > 0:  # one is stored already
            interrupted.set()
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        backups.take(
            fresh_database, interrupt, shard_above_gib=TINY_GIB, shard_jobs=2, compression="none"
        )

    assert backups.keys() == []
    assert backups.left_over() == []
    assert wait_until(lambda: not sessions(fresh_database), 30)
    assert backups.verify(backups.take(fresh_database)).verdict is Verdict.PROVED
