"""`doctor` on servers that are well, and on settings and servers that are not."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bounty_ops.doctor import State, examine
from bounty_ops.doctor.names import CHECKS
from bounty_ops.doctor.privacy import private_files
from bounty_ops.environments import load_settings
from bounty_ops_tests.cli.documented import documented_fields, text_of

PAGE = text_of("docs/reference/doctor.md")

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounty_ops.doctor import CheckResult
    from bounty_ops_tests.fix_command_line import CommandLine


def _by_name(results: Iterable[CheckResult]) -> dict[tuple[str, str], CheckResult]:
    return {(result.subject, result.name): result for result in results}


def _examined(command_line: CommandLine) -> dict[tuple[str, str], CheckResult]:
    return _by_name(examine(load_settings(command_line.home, command_line.variables)))


def test_whatever_is_not_well_has_a_remedy(command_line: CommandLine) -> None:
    (command_line.home / ".env.production").write_text("DATABASE_URL=postgresql://a@b.example/c\n")
    results = _examined(command_line).values()
    assert {result.state for result in results} >= {State.OK, State.WARNING, State.FAILED}
    for result in results:
        assert (result.remedy is None) == (result.state is State.OK), result


_KINDS = {
    "project": "project",
    "this machine": "this machine",
    "local servers": "this machine",
    "bucket": "a bucket",
    "bucket for copies": "a bucket",
    "operations database": "operations database",
    "Dagster": "Dagster",
}


def test_every_check_has_a_name_that_is_documented(command_line: CommandLine) -> None:
    (command_line.home / ".env.staging").write_text("DATABASE_URL=postgresql://a@127.0.0.1:1/b\n")
    found = _examined(command_line)
    for subject, name in found:
        assert name in CHECKS[_KINDS.get(subject, "an environment")], (subject, name)
    of_environments = {name for subject, name in found if subject in {"development", "staging"}}
    assert set(CHECKS["an environment"]) - of_environments == {"dead-man's switch"}


def test_the_page_lists_every_check_with_its_question() -> None:
    for kind, checks in CHECKS.items():
        section = PAGE.split(f"\n## {kind[0].upper()}{kind[1:]}\n", 1)[1].split("\n## ", 1)[0]
        rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", section, re.MULTILINE)
        assert dict(rows) == checks, kind


def test_a_sound_deployment_passes_with_exit_code_0(command_line: CommandLine) -> None:
    assert command_line.run("db", "migrate").code == 0
    outcome = command_line.run("doctor", "--json")
    assert outcome.code == 0, outcome.stdout
    others = [(each["subject"], each["name"]) for each in outcome.document if each["remedy"]]
    assert others == [
        ("bucket", "protection"),  # it has neither Object Lock nor versions
        # No Dagster runs in this directory.
        ("Dagster", "storage"),
        ("Dagster", "daemon"),
        ("Dagster", "schedules"),
    ]
    assert all(set(each) == documented_fields("doctor") for each in outcome.document)
    assert "operations database" in command_line.run("doctor").stdout


def test_a_failed_check_is_exit_code_1_and_the_others_still_run(
    command_line: CommandLine,
) -> None:
    gone = command_line.with_variables(
        DATABASE_URL="postgresql://bounty:planted@127.0.0.1:1/bounty"
    )
    outcome = gone.run("doctor", "--json")
    assert outcome.code == 1
    assert outcome.stderr == ""
    found = {(each["subject"], each["name"]): each for each in outcome.document}
    assert found["development", "reachable"]["state"] == "failed"
    assert "connection refused" in found["development", "reachable"]["cause"]
    for name in ("version", "encryption", "backup role", "clock", "revision"):
        assert found["development", name]["state"] == "unknown"
    assert found["bucket", "reachable"]["state"] == "ok"
    assert found["operations database", "reachable"]["state"] == "ok"
    assert "planted" not in outcome.stdout
    assert gone.run("doctor").code == 1


def test_a_broken_setting_is_named_and_nothing_else_is_hidden(command_line: CommandLine) -> None:
    broken = command_line.with_variables(OPS_DATABASE_URL="mysql://nonsense")
    found = _examined(broken)
    assert found["project", "settings"].state is State.FAILED
    assert "OPS_DATABASE_URL" in found["project", "settings"].cause
    assert found["development", "reachable"].state is State.OK


def test_a_missing_bucket_is_a_failed_check(command_line: CommandLine) -> None:
    gone = command_line.with_variables(BACKUP_BUCKET="s3://no-such-bucket-here")
    result = _examined(gone)["bucket", "reachable"]
    assert result.state is State.FAILED
    assert result.remedy


def test_pending_migrations_are_a_warning_with_the_command_to_look_at_them(
    command_line: CommandLine,
) -> None:
    result = _examined(command_line)["development", "revision"]
    assert result.state is State.WARNING
    assert result.remedy is not None
    assert "db migrate -e development --dry-run" in result.remedy


def test_one_environment_can_be_examined_alone(command_line: CommandLine) -> None:
    (command_line.home / ".env.staging").write_text("DATABASE_URL=postgresql://a@127.0.0.1:1/b\n")
    outcome = command_line.run("doctor", "-e", "development", "--json")
    assert "staging" not in {each["subject"] for each in outcome.document}
    assert command_line.run("doctor", "-e", "nowhere").code == 2


def test_files_with_passwords_that_everybody_may_read_are_a_warning(
    tmp_path: Path,
) -> None:
    # The directories of tests are private: no path leads there, whatever mode a file has.
    home = tmp_path / "home"
    home.mkdir()
    secret = home / ".env.staging"
    secret.write_text("DATABASE_URL=postgresql://a@127.0.0.1:1/b\n")
    secret.chmod(0o644)
    assert private_files(load_settings(home, {})).state is State.OK
    # Elsewhere one does.
    with TemporaryDirectory(dir="/var/tmp") as public:
        Path(public).chmod(0o755)
        secret = Path(public) / ".env.staging"
        secret.write_text("DATABASE_URL=postgresql://a:hidden@127.0.0.1:1/b\n")
        secret.chmod(0o644)
        found = private_files(load_settings(Path(public), {}))
        assert found.state is State.WARNING
        assert f"chmod o-rwx {secret}" in (found.remedy or "")
        secret.chmod(0o600)
        assert private_files(load_settings(Path(public), {})).state is State.OK


def test_a_switch_that_is_not_set_or_shared_is_told_and_its_url_is_not(
    command_line: CommandLine,
) -> None:
    url = "https://switch.example/t0ken-that-nobody-may-see"
    home = command_line.home
    (home / "bounty_ops.toml").write_text('[defaults]\nping = "PING_URL"\n')
    for name, ping in (("staging", url), ("qa", url), ("alone", f"{url}-2"), ("none", "")):
        (home / f".env.{name}").write_text(
            f"DATABASE_URL=postgresql://a@127.0.0.1:1/b\nPING_URL={ping}\n"
        )
    found = {
        subject: result
        for (subject, name), result in _examined(command_line).items()
        if name == "dead-man's switch"
    }
    assert {subject: result.state for subject, result in found.items()} == {
        "development": State.WARNING,
        "staging": State.WARNING,
        "qa": State.WARNING,
        "alone": State.OK,
        "none": State.WARNING,
    }
    assert "shares its URL with qa" in found["staging"].cause
    assert "PING_URL, which its policy names, is not set" in found["none"].cause
    assert "t0ken" not in str(found)
