"""`backup import`: downloaded backups come back as they were, foreign archives as what they are."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pyrage  # type: ignore[import-untyped] # it ships no types
import pytest

from bounty_ops.environments import BucketLocation
from bounty_ops.journal import Journal
from bounty_ops.journal.records import Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.run import run_program
from bounty_ops_tests.cli.documented import documented_fields
from bounty_ops_tests.fix_backups import run as statements

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops_tests.fix_command_line import CommandLine


def store_of(line: CommandLine, s3: ObjectStoreSettings) -> ObjectStore:
    location = BucketLocation.parse(line.variables["BACKUP_BUCKET"])
    return ObjectStore(replace(s3, location=location))


def keys(store: ObjectStore) -> list[str]:
    return [entry.key for entry in store.list("")]


def archive(url: DatabaseUrl, path: Path, *options: str) -> Path:
    """A dump as anybody could have made it."""
    run_program(
        find_programs(17), "pg_dump", ["--format=custom", f"--file={path}", *options], url=url
    )
    return path


@pytest.fixture
def elsewhere(filled: CommandLine) -> CommandLine:
    """The same project with another prefix of the bucket, and nothing in it."""
    return filled.with_variables(BACKUP_BUCKET=filled.variables["BACKUP_BUCKET"] + "/elsewhere")


@pytest.fixture
def downloaded(filled: CommandLine) -> Path:
    """A backup that was taken, then downloaded."""
    taken = filled.run("backup", "run", "--no-verify", "--json").document
    done = filled.run("backup", "download", taken["id"], "copy")
    assert done.code == 0, done.stderr
    return filled.home / "copy"


def test_a_downloaded_backup_comes_back_byte_for_byte_and_unverified(
    filled: CommandLine, elsewhere: CommandLine, downloaded: Path, s3_prefix: ObjectStoreSettings
) -> None:
    done = elsewhere.run("backup", "import", str(downloaded), "--json")
    assert (done.code, done.stderr) == (0, "")
    assert set(done.document) == documented_fields("backup import")
    assert (done.document["kind"], done.document["outcome"]) == ("backup", "imported")

    here, there = store_of(filled, s3_prefix), store_of(elsewhere, s3_prefix)
    for key in keys(there):
        assert there.get(key) == here.get(key), key
    [listed] = elsewhere.run("backup", "list", "--json").document
    assert (listed["id"], listed["verdict"]) == (done.document["id"], "unverified")
    assert elsewhere.run("backup", "verify", listed["id"]).code == 0

    again = elsewhere.run("backup", "import", str(downloaded), "--json")
    assert (again.code, again.document["outcome"]) == (0, "there_already")


@pytest.mark.soak
def test_a_file_that_was_changed_is_noticed_before_anything_is_stored(
    elsewhere: CommandLine, downloaded: Path, s3_prefix: ObjectStoreSettings
) -> None:
    path = downloaded / "archive.dump"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = elsewhere.run("backup", "import", "copy")
    assert done.code == 3
    assert "archive.dump is not what the manifest says" in done.error_lines[0]
    path.unlink()
    assert "it is missing" in elsewhere.run("backup", "import", "copy").error_lines[0]
    assert keys(store_of(elsewhere, s3_prefix)) == []


@pytest.mark.soak
def test_another_manifest_under_the_same_id_is_refused(
    filled: CommandLine, downloaded: Path
) -> None:
    path = downloaded / "manifest.json"
    changed = json.loads(path.read_text()) | {"taken_by": "somebody else"}
    path.write_text(json.dumps(changed))
    done = filled.run("backup", "import", "copy")
    assert done.code == 3
    assert "another backup under the id" in done.error_lines[0]


@pytest.mark.soak
def test_an_import_that_was_killed_is_taken_up_again(
    filled: CommandLine, elsewhere: CommandLine, downloaded: Path, s3_prefix: ObjectStoreSettings
) -> None:
    here, there = store_of(filled, s3_prefix), store_of(elsewhere, s3_prefix)
    [key] = [each for each in keys(here) if each.endswith("archive.dump")]
    there.put_if_absent(key, here.get(key))
    assert elsewhere.run("backup", "import", str(downloaded)).code == 0
    assert len(elsewhere.run("backup", "list", "--json").document) == 1


@pytest.mark.soak
def test_something_else_in_the_place_of_an_object_is_refused(
    filled: CommandLine, elsewhere: CommandLine, downloaded: Path, s3_prefix: ObjectStoreSettings
) -> None:
    [key] = [k for k in keys(store_of(filled, s3_prefix)) if k.endswith("archive.dump")]
    there = store_of(elsewhere, s3_prefix)
    there.put_if_absent(key, b"something else")
    done = elsewhere.run("backup", "import", str(downloaded))
    assert done.code == 3
    assert "something else lies at" in done.error_lines[0]
    assert there.get(key) == b"something else"


@pytest.mark.soak
def test_a_backup_keeps_its_environment(elsewhere: CommandLine, downloaded: Path) -> None:
    (elsewhere.home / ".env.staging").write_text("DATABASE_URL=postgresql://a@b.example/c\n")
    done = elsewhere.run("backup", "import", str(downloaded), "-e", "staging")
    assert done.code == 2
    assert "is one of development, not of staging" in done.error_lines[0]


def make_foreign(line: CommandLine) -> Path:
    """An archive of a database with owners and grants, by roles that no other server has."""
    url = line.database
    statements(
        url,
        *(
            f"DO $$ BEGIN CREATE ROLE {name}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            for name in ("importing_owner", '"importing ""reader"""')
        ),
        "ALTER TABLE fruit OWNER TO importing_owner",
        'GRANT SELECT ON fruit TO "importing ""reader"""',
        "CREATE INDEX fruit_number ON fruit (number)",
    )
    return archive(url, line.home / "foreign.dump")


def test_a_foreign_archive_is_kept_for_what_it_is(
    filled: CommandLine, s3_prefix: ObjectStoreSettings
) -> None:
    path = make_foreign(filled)
    done = filled.run("backup", "import", "foreign.dump", "--json")
    assert (done.code, done.stderr) == (0, "")
    assert set(done.document) == documented_fields("backup import")
    assert (done.document["kind"], done.document["compare"]) == ("archive", "nothing")
    assert (done.document["tables"], done.document["rows"]) == (2, 100)

    store = store_of(filled, s3_prefix)
    manifest = Journal(store).find(done.document["id"])
    assert time.time() - manifest.taken_at.timestamp() < 3600, "the archive's own clock"
    assert store.get(manifest.archive.key) == path.read_bytes()
    assert manifest.imported is not None
    assert manifest.imported.file_name == "foreign.dump"
    assert (manifest.compare, manifest.database_bytes) == ("nothing", None)
    assert all(table.fingerprint is None for table in manifest.tables)
    assert any("importing_owner" in line for line in manifest.inventory["tables"])
    assert any("fruit_number" in line for line in manifest.inventory["indexes"])

    verified = filled.run("backup", "verify", manifest.id, "--json").document
    assert verified["verdict"] == "inconclusive"
    assert verified["differences"] == []
    assert "cannot be proved" in verified["reason"]
    assert filled.run("backup", "show", manifest.id).code == 0
    [summary] = Journal(store).summaries()
    assert (summary.imported, summary.verdict) == (True, Verdict.INCONCLUSIVE)


@pytest.mark.soak
def test_an_archive_is_encrypted_as_a_backup_of_its_environment_would_be(
    filled: CommandLine, s3_prefix: ObjectStoreSettings
) -> None:
    key = pyrage.x25519.Identity.generate()
    (filled.home / "bounty_ops.toml").write_text(
        f'[defaults]\nencrypt_to = ["{key.to_public()}"]\n'
    )
    path = make_foreign(filled)
    done = filled.run("backup", "import", "foreign.dump", "--json")
    assert done.code == 0, done.stderr
    store = store_of(filled, s3_prefix)
    manifest = Journal(store).find(done.document["id"])
    assert manifest.archive.key.endswith(".age")
    assert pyrage.decrypt(store.get(manifest.archive.key), [key]) == path.read_bytes()


@pytest.mark.soak
def test_the_time_is_the_archives_or_what_the_operator_knows_better(filled: CommandLine) -> None:
    make_foreign(filled)
    told = filled.run(
        "backup", "import", "foreign.dump", "--taken-at", "2026-01-02T03:04:05+01:00", "--json"
    ).document
    assert told["taken_at"] == "2026-01-02T02:04:05Z"
    assert told["id"].startswith("20260102T020405Z-")


@pytest.mark.parametrize("moment", ["yesterday", "2026-01-02T03:04:05", "2999-01-01T00:00:00Z"])
@pytest.mark.soak
def test_a_time_that_says_too_little_is_refused(filled: CommandLine, moment: str) -> None:
    done = filled.run("backup", "import", "foreign.dump", "--taken-at", moment)
    assert done.code == 2
    assert "--taken-at" in done.error_lines[0]


@pytest.mark.soak
def test_an_archive_that_does_not_restore_is_not_taken_in(
    filled: CommandLine, s3_prefix: ObjectStoreSettings
) -> None:
    path = make_foreign(filled)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - len(data) // 8])
    cut = filled.run("backup", "import", "foreign.dump")
    assert cut.code == 3
    archive(filled.database, filled.home / "rows.dump", "--data-only")
    rows = filled.run("backup", "import", "rows.dump")
    assert rows.code == 3
    assert "does not restore" in rows.error_lines[0]
    assert "archives of whole databases" in rows.error_lines[1]
    assert keys(store_of(filled, s3_prefix)) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"\x1f\x8b" + b"0" * 20, "compressed with gzip"),
        (b"--\n-- PostgreSQL database dump\n--\n", "a plain SQL dump"),
        (b"toc.dat\0" + b"\0" * 100, "in tar format"),
        (b"age-encryption.org/v1\n", "encrypted with age"),
        (b"<html>", "something else"),
    ],
)
def test_what_is_no_archive_is_named(filled: CommandLine, content: bytes, what: str) -> None:
    (filled.home / "thing").write_bytes(content)
    done = filled.run("backup", "import", "thing")
    assert done.code == 2
    assert what in done.error_lines[0]


@pytest.mark.soak
def test_what_is_no_directory_of_a_backup_is_named(filled: CommandLine) -> None:
    assert "there is no nowhere" in filled.run("backup", "import", "nowhere").error_lines[0]
    (filled.home / "empty").mkdir()
    assert "holds no manifest.json" in filled.run("backup", "import", "empty").error_lines[0]
    run_program(
        find_programs(17),
        "pg_dump",
        ["--format=directory", f"--file={filled.home / 'dir'}"],
        url=filled.database,
    )
    assert "directory format" in filled.run("backup", "import", "dir").error_lines[0]
    (filled.home / "empty" / "manifest.json").write_text("{}")
    assert filled.run("backup", "import", "empty").code == 3


@pytest.mark.soak
def test_a_bucket_that_is_gone_is_two_lines(filled: CommandLine, downloaded: Path) -> None:
    make_foreign(filled)
    gone = filled.with_variables(BACKUP_BUCKET="s3://no-such-bucket-here")
    for path in (str(downloaded), "foreign.dump"):
        done = gone.run("backup", "import", path)
        assert done.code == 3
        assert "no-such-bucket-here" in done.error_lines[0]
        assert len(done.error_lines) == 2


def test_ctrl_c_leaves_nothing_in_the_bucket(
    filled: CommandLine, s3_prefix: ObjectStoreSettings
) -> None:
    archive(filled.database, filled.home / "all.dump")
    process = filled.start("backup", "import", "all.dump")
    work = filled.home / ".bounty-ops" / "work"
    deadline = time.monotonic() + 60
    while not any(work.glob("cluster-*")):
        assert time.monotonic() < deadline, "no server was started"
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert [line.split(":")[0] for line in stderr.splitlines()] == ["error", "hint"]
    assert keys(store_of(filled, s3_prefix)) == []
    assert not list(work.glob("cluster-*"))
