"""`status`: one line an environment, also for those that cannot be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine


def test_every_environment_has_a_place_in_it(command_line: CommandLine) -> None:
    home = command_line.home
    (home / ".env.staging").write_text("DATABASE_URL=postgresql://a:planted@127.0.0.1:1/b\n")
    (home / ".env.production").write_text(
        "DATABASE_URL=postgresql://a:planted@db.example/b?sslmode=disable\n"
    )
    outcome = command_line.run("status", "--json")
    assert outcome.code == 0
    found = {each["environment"]: each for each in outcome.document}
    assert set(found) == {"development", "staging", "production"}
    assert all(set(each) == documented_fields("status") for each in outcome.document)

    development = found["development"]
    assert (development["configured"], development["reachable"]) == (True, True)
    assert development["pending"]
    assert (development["last_backup"], development["last_proof"]) == (None, None)

    assert (found["staging"]["configured"], found["staging"]["reachable"]) == (True, False)
    assert found["staging"]["hint"]
    assert (found["production"]["configured"], found["production"]["protected"]) == (False, True)
    assert "TLS" in found["production"]["problem"]
    assert "planted" not in outcome.stdout + outcome.stderr


@pytest.mark.soak
def test_the_last_backup_and_the_last_proof_may_differ(filled: CommandLine) -> None:
    proved = filled.run("backup", "run", "--json").document
    newer = filled.run("backup", "run", "--no-verify", "--json").document
    [standing] = filled.run("status", "-e", "development", "--json").document
    assert standing["last_backup"]["id"] == newer["id"]
    assert standing["last_backup"]["verdict"] == "unverified"
    assert standing["last_proof"]["backup_id"] == proved["id"]
    said = filled.run("status").stdout
    assert "unverified" in said


def test_what_a_disaster_would_cost_is_measured_against_the_policy(filled: CommandLine) -> None:
    (filled.home / "bounty_ops.toml").write_text(
        "[defaults]\nproof_max_age_hours = 12\nrto_minutes = 90\n"
    )
    [unknown] = filled.run("status", "--json").document
    assert (unknown["rpo_seconds"], unknown["rto_seconds"]) == (None, None)
    filled.run("backup", "run")
    [known] = filled.run("status", "--json").document
    assert 0 <= known["rpo_seconds"] < 12 * 3600
    assert (known["rpo_objective_seconds"], known["rto_objective_seconds"]) == (43_200, 5_400)
    assert 0 < known["rto_measured_seconds"] < 5_400
    assert known["rto_seconds"] > 0
    assert "s of 90 min" in filled.run("status").stdout


def test_a_bucket_that_is_gone_is_said_and_the_rest_is_shown(command_line: CommandLine) -> None:
    gone = command_line.with_variables(BACKUP_BUCKET="s3://no-such-bucket-here")
    [standing] = gone.run("status", "--json").document
    assert standing["reachable"]
    assert "no-such-bucket-here" in standing["bucket_problem"]
    assert "no-such-bucket-here" in gone.run("status").stdout
