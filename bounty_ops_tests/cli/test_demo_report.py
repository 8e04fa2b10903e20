"""The report of a night, drawn from a manifest and a proof."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from bounty_ops.cli.demo_night import Night, Step, check_harmless, check_unprotected
from bounty_ops.cli.demo_report import draw_night, draw_step, night_document
from bounty_ops.cli.document import as_json
from bounty_ops.environments import Environment, Policy
from bounty_ops.errors import UsageError
from bounty_ops.journal.records import Manifest, ObjectRecord, Proof, TableRecord, Verdict
from bounty_ops.migrating import MigrationPlan
from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
ID = "20261122T020000Z-1a2b3c4d"


def night(*, seconds: float = 2.0) -> Night:
    manifest = Manifest(
        id=ID,
        environment="development",
        database="bounty",
        taken_at=NOW,
        finished_at=NOW,
        seconds=seconds,
        taken_by="dagster run 1",
        server_version="17.10",
        client_version="17.10",
        server_major=17,
        compression="zstd:1",
        objects=(
            ObjectRecord(key=f"backups/development/{ID}/archive.dump", size_bytes=4 * 1024**2,
                         sha256="ab" * 32),
        ),
        tables=(TableRecord(schema_name="public", name="user", rows=1200, fingerprint="f"),),
    )  # fmt: skip
    proof = Proof(
        id=ID,
        backup_id=ID,
        environment="development",
        verdict=Verdict.PROVED,
        verified_at=NOW,
        seconds=1.5,
        tables_compared=38,
        rows_compared=20_001,
        manifest_sha256="cd" * 32,
        server_version="17.10",
    )
    steps = (Step("start", 8.0, "Dagster"), Step("nightly", 4.25, "backed up", "run-1"))
    return Night("development", steps, manifest, proof)


def drawn(*, seconds: float = 2.0) -> str:
    stream = io.StringIO()
    draw_night(Console(file=stream, width=120, highlight=False), night(seconds=seconds), 31.4)
    return stream.getvalue()


def test_a_person_reads_size_throughput_verdict_and_what_to_try_next() -> None:
    report = drawn()
    assert "4.0 MiB of 1,200 rows in 2.0 s, 2.0 MiB/s" in report
    assert "proved: 38 tables with 20,001 rows restored, all equal" in report
    assert "31.4 s" in report
    assert "make up" in report
    assert report.count(".venv/bin/bounty-ops ") == 3
    assert f"backup verify {ID}" in report


def test_a_backup_too_quick_to_measure_has_no_throughput() -> None:
    assert "/s" not in drawn(seconds=0.0)


def test_the_document_has_the_documented_fields() -> None:
    document = night_document(night(), 31.4)
    assert set(document) == documented_fields("demo")
    assert as_json(document["proof"]) == {
        "id": ID,
        "verdict": "proved",
        "seconds": 1.5,
        "tables_compared": 38,
        "rows_compared": 20_001,
        "differences": 0,
    }


def test_a_step_is_one_line() -> None:
    stream = io.StringIO()
    draw_step(Console(file=stream, width=120), Step("seed", 3.2, "20,000 rows in 37 tables"))
    said = " ".join(stream.getvalue().split())
    assert said == "✓ fill it with data 3.2 s 20,000 rows in 37 tables"


def test_an_unconfigured_environment_is_told_before_any_server_is_started(
    bare_command_line: CommandLine,
) -> None:
    (bare_command_line.home / ".env.staging").write_text("SOMETHING=else\n")
    outcome = bare_command_line.run("demo", "-e", "staging", "--json")
    assert outcome.code == 2
    assert "DATABASE_URL" in outcome.document["error"]["message"]
    assert not (bare_command_line.home / ".bounty-ops").exists()


def environment(*, protected: bool) -> Environment:
    return Environment("development", None, Policy(protected=protected))


def plan(current: str | None) -> MigrationPlan:
    return MigrationPlan("development", "db:5432/bounty", current, "0002", (), "d" * 64)


def test_a_protected_environment_is_no_place_for_a_demonstration() -> None:
    check_unprotected(environment(protected=False))
    with pytest.raises(UsageError, match="protected"):
        check_unprotected(environment(protected=True))


def test_somebody_elses_database_is_migrated_only_if_it_is_empty() -> None:
    own = environment(protected=False)
    check_harmless(plan(None), own, embedded=False)
    check_harmless(plan("0001"), own, embedded=True)
    with pytest.raises(UsageError, match="pending"):
        check_harmless(plan("0001"), own, embedded=False)
