"""A verification proves, refutes, or says honestly that it could not find out."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.backup import content
from bounty_ops.errors import JournalError, ObjectStoreError, RestoreError, UsageError
from bounty_ops.journal import layout
from bounty_ops.journal.records import Difference, Manifest, ObjectRecord, Proof, Verdict
from bounty_ops.postgres.fingerprint import fingerprint_tables
from bounty_ops.postgres.row_hash import ROW_HASHES
from bounty_ops.restore import judge, restoring, sandbox, verify
from bounty_ops.restore.findings import Refuted
from bounty_ops.restore.observing import observe, observe_as
from bounty_ops_tests.fix_backups import Backups, make_role, run, value
from bounty_ops_tests.fix_servers import all_server_majors

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs
    from bounty_ops.restore.fetch import Fetched
    from bounty_ops.restore.judge import Observation


def nothing_is_left(backups: Backups) -> None:
    left = sorted(path.name for path in backups.work_dir.glob("*"))
    assert left in ([], ["verification.lock"], ["sweep.lock", "verification.lock"])


@pytest.mark.parametrize("major", all_server_majors())
@pytest.mark.many(every=5)
def test_one_of_everything_is_proved_on_every_major(
    make_zoo: Callable[[int], DatabaseUrl], backups: Backups, major: int
) -> None:
    manifest = backups.take(make_zoo(major))

    proof = backups.verify(manifest)

    assert proof.differences == ()
    assert proof.verdict is Verdict.PROVED
    assert proof.tables_compared == len(manifest.tables)
    assert proof.rows_compared == manifest.rows > 2500
    assert proof.server_version == manifest.server_version
    assert proof.reason is None
    [summary] = backups.journal.summaries()
    assert summary.verdict is Verdict.PROVED
    assert summary.verified_at == proof.verified_at
    assert backups.journal.proofs("development", manifest.id) == [proof]
    nothing_is_left(backups)


@pytest.mark.parametrize("formula", ROW_HASHES)
def test_backups_of_every_formula_are_proved_and_refuted(
    fresh_database: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch, formula: str
) -> None:
    monkeypatch.setattr(content, "fingerprint_tables", partial(fingerprint_tables, formula=formula))
    run(
        fresh_database,
        "CREATE TYPE mood AS ENUM ('sad', 'happy')",
        "CREATE TABLE t AS SELECT g AS i, 'sad'::mood AS m FROM generate_series(1, 9) g",
    )
    manifest = backups.take(fresh_database)
    recorded = [one.fingerprint or "" for one in manifest.tables]
    assert [one.partition(":")[0] for one in recorded] == [formula]

    proved = backups.verify(manifest)
    same = judge(manifest, observe_as(manifest, fresh_database))
    run(fresh_database, "UPDATE t SET i = 10 WHERE i = 9")
    changed = judge(manifest, observe_as(manifest, fresh_database))

    assert (proved.verdict, same.verdict) == (Verdict.PROVED, Verdict.PROVED)
    assert (changed.verdict, [one.kind for one in changed.differences]) == (
        Verdict.REFUTED,
        ["content"],
    )


def test_everybodys_first_reset_is_no_difference(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    run(
        fresh_database,
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE public.t AS SELECT 1 AS one",
    )

    proof = backups.verify(backups.take(fresh_database))

    assert (proof.verdict, proof.differences) == (Verdict.PROVED, ())


def test_a_database_without_a_public_schema_is_proved(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    run(
        fresh_database,
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA other",
        "CREATE TABLE other.t AS SELECT 1 AS one",
    )

    proof = backups.verify(backups.take(fresh_database))

    assert (proof.verdict, proof.differences) == (Verdict.PROVED, ())


def test_views_refreshed_with_the_rights_of_a_group_are_no_trouble(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    make_role(fresh_database, "a_group")
    make_role(fresh_database, "a_member")
    run(
        fresh_database,
        "GRANT a_group TO a_member",
        "CREATE SCHEMA s",
        "GRANT ALL ON SCHEMA s TO a_member",
        "CREATE TABLE s.t AS SELECT 1 AS one",
        "GRANT USAGE ON SCHEMA s TO a_group",
        "GRANT SELECT ON s.t TO a_group",
        "CREATE MATERIALIZED VIEW s.m AS SELECT * FROM s.t",
        "ALTER MATERIALIZED VIEW s.m OWNER TO a_member",
    )

    proof = backups.verify(backups.take(fresh_database))

    assert (proof.verdict, proof.differences, proof.reason) == (Verdict.PROVED, (), None)


def test_an_empty_database_proves_nothing(fresh_database: DatabaseUrl, backups: Backups) -> None:
    proof = backups.verify(backups.take(fresh_database))

    assert proof.verdict is Verdict.INCONCLUSIVE
    assert proof.reason is not None
    assert "no table" in proof.reason


def test_tables_without_rows_are_proved(fresh_database: DatabaseUrl, backups: Backups) -> None:
    run(fresh_database, "CREATE TABLE t (i integer)")

    proof = backups.verify(backups.take(fresh_database))

    assert (proof.verdict, proof.tables_compared, proof.rows_compared) == (Verdict.PROVED, 1, 0)


def damaged(data: bytes) -> dict[str, bytes]:
    """What may become of an archive in storage."""
    changed = {
        "first bit": bytes([data[0] ^ 1]) + data[1:],
        "last bit": data[:-1] + bytes([data[-1] ^ 128]),
        "cut by one": data[:-1],
        "cut in half": data[: len(data) // 2],
        "empty": b"",
        "one more": data + b"\0",
        "twice": data * 2,
    }
    chance = random.Random(len(data))  # noqa: S311 - no secret
    for number in range(8):
        flipped = bytearray(data)
        flipped[chance.randrange(len(data))] ^= 1 << number
        changed[f"flip {number}"] = bytes(flipped)
    return changed


def test_a_damaged_archive_is_refuted_before_it_is_restored(
    zoo: DatabaseUrl, backups: Backups
) -> None:
    manifest = backups.take(zoo)
    data = backups.store.get(manifest.archive.key)

    for name, damage in damaged(data).items():
        backups.replace_archive(manifest, damage)
        proof = backups.verify(manifest)
        assert proof.verdict is Verdict.REFUTED, name
        [difference] = proof.differences
        assert (difference.kind, difference.object) == ("archive", manifest.archive.key)
        assert proof.tables_compared == 0

    nothing_is_left(backups)


def test_a_missing_archive_is_refuted(zoo: DatabaseUrl, backups: Backups) -> None:
    manifest = backups.take(zoo)
    backups.store.delete(manifest.archive.key)

    [difference] = backups.verify(manifest).differences

    assert (difference.kind, difference.found) == ("archive", None)


def forged(backups: Backups, manifest: Manifest, other: Manifest) -> Manifest:
    """Put another backup's archive into a backup, hash and all: as if the dump had gone wrong."""
    return swapped(backups, manifest, backups.store.get(other.archive.key), other.archive.sha256)


def swapped(backups: Backups, manifest: Manifest, data: bytes, sha256: str) -> Manifest:
    backups.replace_archive(manifest, data)
    archive = ObjectRecord(key=manifest.archive.key, size_bytes=len(data), sha256=sha256)
    return backups.rewrite(manifest, objects=(archive,))


#: A published table without a key can be neither updated nor deleted from.
NO_PUBLICATIONS = ["DROP PUBLICATION chosen", "DROP PUBLICATION IF EXISTS whole, part"]

FULL_PATH = [
    (
        "UPDATE app.one_column SET single = 'null' WHERE single = 'NULL'",
        "content",
        "app.one_column",
    ),
    ("DROP INDEX app.animal_words", "indexes", "app.animal_words"),
]


@pytest.mark.parametrize(("change", "kind", "subject"), FULL_PATH)
def test_an_archive_of_something_else_is_refuted_by_its_content(
    zoo: DatabaseUrl, backups: Backups, change: str, kind: str, subject: str
) -> None:
    run(zoo, *NO_PUBLICATIONS)
    manifest = backups.take(zoo)
    run(zoo, change)
    other = backups.take(zoo)

    proof = backups.verify(forged(backups, manifest, other))

    assert proof.verdict is Verdict.REFUTED
    [difference] = proof.differences
    assert (difference.kind, difference.object) == (kind, subject)
    assert backups.journal.summaries()[-1].verdict is Verdict.REFUTED


#: A change of the copy, and what is told of it: kind and object of the one difference.
CHANGES = [
    ("UPDATE app.animal SET price = 1.5001 WHERE price = 1.5", "content", "app.animal"),
    ("UPDATE app.animal SET moods = '{sad}' WHERE id = 120", "content", "app.animal"),
    ("UPDATE app.other SET one = NULL", "content", "app.other"),
    ("UPDATE app.one_column SET single = 'x' WHERE single = ''", "content", "app.one_column"),
    ("DELETE FROM app.animal WHERE id = 150", "rows", "app.animal"),
    ("DELETE FROM app.one_column WHERE single IS NULL", "rows", "app.one_column"),
    ("INSERT INTO app.one_column VALUES (NULL), (NULL)", "rows", "app.one_column"),
    ("INSERT INTO app.without_columns DEFAULT VALUES", "rows", "app.without_columns"),
    ("UPDATE app.hashed SET n = 0 WHERE n = 3 AND mood = 'sad'", "content", "app.hashed"),
    ("UPDATE app.event SET body = 'x' WHERE body = 'e7'", "content", "app.event_2024_sad"),
    ("UPDATE ONLY app.child SET extra = 'y'", "content", "app.child"),
    ("DROP TABLE app.unlogged CASCADE", "table", "app.unlogged"),
    ("CREATE TABLE app.more ()", "table", "app.more"),
    ("SELECT lo_put(70002, 1000000, 'x')", "content", "pg_catalog.pg_largeobject"),
    ("SELECT lo_unlink(70003)", "rows", "pg_catalog.pg_largeobject"),
    ("SELECT setval('app.animal_id_seq', 100)", "sequence", "app.animal_id_seq"),
    ("SELECT setval('app.downwards', -10)", "sequence", "app.downwards"),
    ("ALTER TYPE app.mood RENAME VALUE 'sad' TO 'blue'", "types", "app.mood"),
    ("ALTER TABLE app.animal DROP CONSTRAINT kinds", "constraints", "app.animal"),
    ("GRANT INSERT ON app.one TO zoo_reader", "grants", "table app.one to zoo_reader"),
    ("ALTER TABLE app.one OWNER TO zoo_owner", "tables", "app.one"),
    ("ALTER TABLE app.animal DISABLE TRIGGER touched", "triggers", "app.animal"),
    ("ALTER TABLE app.animal DISABLE ROW LEVEL SECURITY", "tables", "app.animal"),
    ("DROP POLICY own ON app.animal", "policies", "app.animal"),
    ("COMMENT ON TABLE app.animal IS 'another'", "comments", "table app.animal"),
    ("DROP FUNCTION app.standard", "functions", "app.standard(i integer)"),
]


@pytest.mark.soak
def test_whatever_is_changed_in_a_copy_is_told(
    make_zoo: Callable[[], DatabaseUrl], backups: Backups
) -> None:
    original, copy = make_zoo(), make_zoo()
    run(original, *NO_PUBLICATIONS)
    run(copy, *NO_PUBLICATIONS)
    manifest = backups.take(original)
    assert judge(manifest, observe(copy)).verdict is Verdict.PROVED

    known: set[tuple[str, str, str | None, str | None]] = set()
    for statement, kind, subject in CHANGES:
        run(copy, statement)
        judgement = judge(manifest, observe(copy))
        told = {(d.kind, d.object, d.expected, d.found) for d in judgement.differences}
        assert judgement.verdict is Verdict.REFUTED
        new = {(difference[0], difference[1]) for difference in told - known}
        assert (kind, subject) in new, statement
        known = told


def test_a_restore_that_fails_is_refuted_and_says_where(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    # A function without a search_path of its own: pg_dump ends well, and no restore ever will.
    run(
        fresh_database,
        "CREATE TABLE base AS SELECT 9 AS most",
        "CREATE FUNCTION fits(i integer) RETURNS boolean LANGUAGE plpgsql STABLE AS"
        " 'BEGIN RETURN i <= (SELECT max(most) FROM base); END'",
        "CREATE TABLE checked (i integer CHECK (fits(i)))",
        "INSERT INTO checked VALUES (1)",
    )

    proof = backups.verify(backups.take(fresh_database))

    assert proof.verdict is Verdict.REFUTED
    [difference] = proof.differences
    assert difference.kind == "restore"
    assert difference.object == "TABLE DATA checked"
    assert difference.found is not None
    assert 'relation "base" does not exist' in difference.found
    nothing_is_left(backups)


def test_trouble_between_parallel_jobs_does_not_refute(
    zoo: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = backups.take(zoo)
    tried: list[int] = []

    def deadlock_first(
        programs: Programs, place: sandbox.Sandbox, archive: Fetched, *, jobs: int
    ) -> None:
        tried.append(jobs)
        restoring.restore_archive(programs, place, archive, jobs=jobs)
        if jobs > 1:  # as found now and then: half of it is there already
            raise Refuted(Difference(kind="restore", object="x", expected=None, found="deadlock"))

    monkeypatch.setattr(verify, "restore_archive", deadlock_first)

    assert backups.verify(manifest).verdict is Verdict.PROVED
    assert tried == [2, 1]


def test_what_parallel_jobs_leave_invalid_does_not_refute(
    zoo: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = backups.take(zoo)
    tried: list[int] = []

    def attach_badly_first(
        programs: Programs, place: sandbox.Sandbox, archive: Fetched, *, jobs: int
    ) -> None:
        tried.append(jobs)
        restoring.restore_archive(programs, place, archive, jobs=jobs)
        if jobs > 1:  # no error tells of it
            run(place.url, "UPDATE pg_index SET indisvalid = false WHERE indrelid >= 16384")

    monkeypatch.setattr(verify, "restore_archive", attach_badly_first)

    assert backups.verify(manifest).verdict is Verdict.PROVED
    assert tried == [2, 1]


def test_an_archive_that_is_none_is_refuted(zoo: DatabaseUrl, backups: Backups) -> None:
    data = b"not an archive" * 100
    manifest = backups.take(zoo)

    proof = backups.verify(swapped(backups, manifest, data, hashlib.sha256(data).hexdigest()))

    assert proof.verdict is Verdict.REFUTED
    assert proof.differences[0].kind == "restore"


INCONCLUSIVE: list[tuple[dict[str, Any], str]] = [
    (
        {"server_major": 99, "client_version": "99.1"},
        "no server and client programs of PostgreSQL 99",
    ),
    ({"client_version": "18.1"}, "pg_dump 18.1 dumped a server of 17"),
]


@pytest.mark.parametrize(("changes", "reason"), INCONCLUSIVE)
def test_a_machine_without_the_right_programs_finds_nothing_out(
    zoo: DatabaseUrl, backups: Backups, changes: dict[str, Any], reason: str
) -> None:
    manifest = backups.rewrite(backups.take(zoo), **changes)

    proof = backups.verify(manifest)

    assert proof.verdict is Verdict.INCONCLUSIVE
    assert proof.reason is not None
    assert reason in proof.reason
    assert backups.journal.summaries()[0].verdict is Verdict.INCONCLUSIVE


def with_inventory(manifest: Manifest, **lines: list[str]) -> dict[str, Any]:
    return {"inventory": {**manifest.inventory, **lines}}


def test_an_extension_that_is_not_here_is_named(zoo: DatabaseUrl, backups: Backups) -> None:
    manifest = backups.take(zoo)
    about = [*manifest.inventory["about_extensions"], '{"name": "not_here", "version": "1"}']
    manifest = backups.rewrite(manifest, **with_inventory(manifest, about_extensions=about))

    proof = backups.verify(manifest)

    assert proof.verdict is Verdict.INCONCLUSIVE
    assert proof.reason is not None
    assert "lacks: not_here" in proof.reason


def test_without_the_sources_locale_equality_still_counts_but_a_difference_does_not(
    zoo: DatabaseUrl, backups: Backups
) -> None:
    manifest = backups.take(zoo)
    about = json.loads(manifest.inventory["about_database"][0])
    about |= {"collate": "tlh_KX.UTF-8", "ctype": "tlh_KX.UTF-8"}
    lines = with_inventory(manifest, about_database=[json.dumps(about)])
    equal = backups.rewrite(manifest, **lines)
    assert backups.verify(equal).verdict is Verdict.PROVED

    lines["inventory"]["comments"] = []
    proof = backups.verify(backups.rewrite(manifest, **lines))

    assert proof.verdict is Verdict.INCONCLUSIVE
    assert proof.reason is not None
    assert "tlh_KX.UTF-8" in proof.reason
    assert proof.differences


def test_the_sandbox_is_like_the_source(
    make_database: Callable[..., DatabaseUrl],
    pg_server: DatabaseUrl,
    backups: Backups,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = make_database().database
    run(
        pg_server,
        f"DROP DATABASE {name}",
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
    )
    url = pg_server.with_database(name)
    run(url, "CREATE TABLE t AS SELECT 'é' AS x, '1.50'::money AS m")
    seen: list[object] = []

    def look(manifest: Manifest, place: DatabaseUrl) -> Observation:
        seen.append(
            value(
                place,
                "SELECT pg_encoding_to_char(encoding) || datcollate"
                " FROM pg_database WHERE datname = current_database()",
            )
        )
        seen.append(value(place, "SHOW event_triggers"))
        seen.append(place.host.startswith("/"))
        return observe_as(manifest, place)

    monkeypatch.setattr(verify, "observe_as", look)

    assert backups.verify(backups.take(url)).verdict is Verdict.PROVED
    assert seen == ["LATIN1C", "off", True]


def test_a_full_disk_finds_nothing_out(
    zoo: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = backups.take(zoo)

    def full(*_arguments: object, **_keywords: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(verify, "fetch_backup", full)

    proof = backups.verify(manifest)

    assert proof.verdict is Verdict.INCONCLUSIVE
    assert proof.reason is not None
    assert "no room" in proof.reason
    nothing_is_left(backups)


def test_an_archive_larger_than_the_disk_is_not_fetched(zoo: DatabaseUrl, backups: Backups) -> None:
    manifest = backups.take(zoo)
    archive = manifest.archive.model_copy(update={"size_bytes": 1 << 60})

    proof = backups.verify(backups.rewrite(manifest, objects=(archive,)))

    assert proof.verdict is Verdict.INCONCLUSIVE


def test_a_server_that_dies_under_the_restore_finds_nothing_out(
    zoo: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = backups.take(zoo)

    def stop_first(
        programs: Programs, place: sandbox.Sandbox, archive: Fetched, *, jobs: int
    ) -> None:
        data = value(place.url, "SHOW data_directory")
        pid = int((Path(data) / "postmaster.pid").read_text("utf-8").splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        restoring.restore_archive(programs, place, archive, jobs=jobs)

    monkeypatch.setattr(verify, "restore_archive", stop_first)

    proof = backups.verify(manifest)

    assert proof.verdict is Verdict.INCONCLUSIVE
    nothing_is_left(backups)


def test_a_store_that_fails_is_an_error_and_no_verdict(
    zoo: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = backups.take(zoo)

    def fail(*_arguments: object) -> None:
        raise ObjectStoreError("the store is on fire", hint="call somebody")

    monkeypatch.setattr(backups.store, "download", fail)
    with pytest.raises(ObjectStoreError):
        backups.verify(manifest)

    monkeypatch.undo()
    assert backups.journal.summaries()[0].verdict is Verdict.UNVERIFIED
    nothing_is_left(backups)


def test_a_backup_that_is_gone_cannot_be_verified(zoo: DatabaseUrl, backups: Backups) -> None:
    manifest = backups.take(zoo)
    backups.store.delete(layout.manifest_key("development", manifest.id))

    with pytest.raises(UsageError):
        backups.verify(manifest)


def test_the_stored_manifest_counts_and_not_the_one_in_hand(
    zoo: DatabaseUrl, backups: Backups
) -> None:
    manifest = backups.take(zoo)
    backups.rewrite(manifest, tables=manifest.tables[1:])

    proof = backups.verify(manifest)

    assert proof.verdict is Verdict.REFUTED


def test_an_unreadable_manifest_is_an_error(zoo: DatabaseUrl, backups: Backups) -> None:
    manifest = backups.take(zoo)
    key = layout.manifest_key("development", manifest.id)
    backups.store.delete(key)
    backups.store.put_if_absent(key, b"{}")

    with pytest.raises(JournalError):
        backups.verify(manifest)


def test_progress_is_told_in_bytes_of_the_archive(zoo: DatabaseUrl, backups: Backups) -> None:
    manifest = backups.take(zoo)
    seen: list[int] = []

    proof: Proof = verify.verify_backup(
        manifest, backups.journal, work_dir=backups.work_dir, progress=seen.append
    )

    assert proof.verdict is Verdict.PROVED
    assert seen[-1] == manifest.archive.size_bytes


def test_a_backup_that_is_removed_meanwhile_gets_no_proof(
    zoo: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = backups.take(zoo)

    def prune_meanwhile(manifest: Manifest, place: DatabaseUrl) -> Observation:
        for key in [*backups.keys()]:
            backups.store.delete(key)
        return observe_as(manifest, place)

    monkeypatch.setattr(verify, "observe_as", prune_meanwhile)

    with pytest.raises(RestoreError, match="was removed while it was verified"):
        backups.verify(manifest)

    assert backups.keys() == []


@pytest.mark.parametrize("compare", ["counts", "nothing"])
def test_what_was_not_recorded_is_not_proved(
    zoo: DatabaseUrl, backups: Backups, compare: str
) -> None:
    manifest = backups.take(zoo, compare=compare)

    proof = backups.verify(manifest)

    assert all(one.fingerprint is None for one in manifest.tables)
    assert all((one.rows is None) == (compare == "nothing") for one in manifest.tables)
    assert (proof.verdict, proof.differences) == (Verdict.INCONCLUSIVE, ())
    assert f"compare = {compare!r}" in str(proof.reason)
    assert proof.compare == compare
    assert proof.restore_seconds is not None
