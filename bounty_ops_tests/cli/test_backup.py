"""`backup`: taken, listed, shown and proved on real servers; refused and broken off as well."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops_tests.fix_command_line import CommandLine


def test_a_backup_is_taken_proved_listed_and_shown(filled: CommandLine) -> None:
    run = filled.run("backup", "run", "--json")
    assert run.code == 0, run.stderr
    assert run.stderr == ""
    assert set(run.document) == documented_fields("backup run")
    assert (run.document["verdict"], run.document["differences"]) == ("proved", [])
    assert run.document["seconds"] > 0

    listed = filled.run("backup", "list", "--json").document
    assert [each["id"] for each in listed] == [run.document["id"]]
    assert set(listed[0]) == documented_fields("backup list")
    assert (listed[0]["state"], listed[0]["verdict"]) == ("complete", "proved")
    for name in ("environment", "taken_at", "bucket", "key", "size_bytes", "sha256"):
        assert listed[0][name] == run.document[name], name
    assert listed[0]["taken_at"].endswith("Z")

    shown = filled.run("backup", "show", run.document["id"][:12], "--json").document
    assert set(shown) == documented_fields("backup list") | documented_fields("backup show")
    rows = {table["name"]: table["rows"] for table in shown["tables"]}
    assert rows == {"fruit": 100, "garden.tree": 0}
    assert all(table["fingerprint"] for table in shown["tables"])
    assert shown["revision"] is None

    for words in (("list",), ("show", run.document["id"])):
        said = filled.run("backup", *words).stdout
        assert run.document["id"] in said
        assert "proved" in said

    (filled.home / ".env.staging").write_text("DATABASE_URL=postgresql://a@b.example/c\n")
    assert filled.run("backup", "list", "-e", "staging", "--json").document == []
    everything = filled.run("backup", "list", "-e", "staging", "--all", "--json").document
    assert everything == listed


@pytest.mark.soak
def test_a_damaged_archive_is_refuted_with_exit_code_1(
    filled: CommandLine, s3_prefix: ObjectStoreSettings
) -> None:
    run = filled.run("backup", "run", "--no-verify", "--json")
    assert (run.code, run.document["verdict"]) == (0, "unverified")
    store = ObjectStore(s3_prefix)
    [key] = [each.key for each in store.list("backups/") if each.key.endswith("archive.dump")]
    archive = bytearray(store.get(key))
    archive[len(archive) // 2] ^= 0xFF
    store.delete(key)
    store.put_if_absent(key, bytes(archive), content_type="application/octet-stream")

    verify = filled.run("backup", "verify", "--json")  # without an id, the newest
    assert verify.code == 1, verify.stderr
    assert verify.document["id"] == run.document["id"]
    assert set(verify.document) == documented_fields("backup verify")
    assert verify.document["verdict"] == "refuted"
    assert verify.document["differences"]
    assert verify.stderr == ""
    assert filled.run("backup", "list", "--json").document[0]["verdict"] == "refuted"
    shown = filled.run("backup", "show", run.document["id"], "--json").document
    assert shown["differences"] == verify.document["differences"]
    assert "EXPECTED" in filled.run("backup", "show", run.document["id"]).stdout


@pytest.mark.parametrize("words", [("show",), ("verify",)])
def test_an_id_that_nobody_knows_is_a_wrong_usage_or_a_missing_record(
    command_line: CommandLine, words: tuple[str, ...]
) -> None:
    outcome = command_line.run("backup", *words, "20261122T020000Z-1a2b3c4d")
    assert outcome.code in {2, 3}
    assert len(outcome.error_lines) == 2
    assert "20261122T020000Z-1a2b3c4d" in outcome.error_lines[0]


def test_an_empty_bucket_is_an_empty_list(command_line: CommandLine) -> None:
    nothing = command_line.run("backup", "verify")
    assert nothing.code == 2
    assert "bounty-ops backup run -e development" in nothing.error_lines[1]
    assert command_line.run("backup", "list", "--json").document == []
    assert "no backup yet" in command_line.run("backup", "list").stdout


def test_what_asks_for_the_bucket_alone_needs_no_default_environment(
    command_line: CommandLine,
) -> None:
    (command_line.home / ".env.production").write_text("DATABASE_URL=postgresql://a@b.example/c\n")
    line = command_line.with_variables(DATABASE_URL="")

    everything = line.run("backup", "list", "--all", "--json")
    assert (everything.code, everything.document) == (0, []), everything.stderr
    unknown = line.run("backup", "show", "20261122T020000Z-1a2b3c4d")
    assert "there is no backup" in unknown.error_lines[0]
    own = line.run("backup", "list")
    assert "there is no environment" in own.error_lines[0]


def test_a_missing_bucket_is_two_lines_and_nothing_is_dumped(filled: CommandLine) -> None:
    gone = filled.with_variables(BACKUP_BUCKET="s3://no-such-bucket-here")
    outcome = gone.run("backup", "run", "--json")
    assert outcome.code == 3
    assert "no-such-bucket-here" in outcome.document["error"]["message"]
    assert [line.split(":")[0] for line in outcome.error_lines] == ["error", "hint"]


def test_a_backup_does_not_need_the_operations_database(filled: CommandLine) -> None:
    without = filled.with_variables(OPS_DATABASE_URL="postgresql://ops:planted@127.0.0.1:1/ops")
    outcome = without.run("backup", "run")
    assert outcome.code == 0
    assert "Verdict: proved (2 tables, 100 rows" in outcome.stdout
    assert {line.split(":")[0] for line in outcome.error_lines} == {"warning"}
    assert "planted" not in outcome.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.many(every=2)
def test_an_interruption_leaves_nothing_visible_and_the_next_run_works(
    filled: CommandLine, s3_prefix: ObjectStoreSettings, number: signal.Signals, code: int
) -> None:
    with psycopg.connect(**filled.database.conninfo()) as blocker:  # type: ignore[arg-type] # all are text
        # The dump has to wait for this lock, so Ctrl-C meets it half-way for certain.
        blocker.execute("LOCK TABLE fruit IN ACCESS EXCLUSIVE MODE")
        process = filled.start("backup", "run")
        _wait_for_the_lock(filled)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert stdout == ""
    assert [line.split(":")[0] for line in stderr.splitlines()] == ["error", "hint"]
    filled.find_no_secret(stderr)
    store = ObjectStore(s3_prefix)
    assert list(store.list("")) == []
    assert store.unfinished_uploads("") == []
    assert filled.run("backup", "run", "--no-verify").code == 0


def _wait_for_the_lock(filled: CommandLine) -> None:
    deadline = time.monotonic() + 60
    with psycopg.connect(**filled.database.conninfo(), autocommit=True) as watcher:  # type: ignore[arg-type] # all are text
        waiting = (
            "SELECT count(*) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d "
            "ON d.oid = l.database WHERE NOT l.granted AND d.datname = current_database()"
        )
        while watcher.execute(waiting).fetchone() == (0,):
            assert time.monotonic() < deadline, "the backup never asked for its locks"
            time.sleep(0.05)
