"""Whether backups could be read again, and whether anybody would hear of anything."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pyrage  # type: ignore[import-untyped] # it ships no types
import pytest

from bounty_ops.doctor.alerts import alert_path
from bounty_ops.doctor.keys import encryption_key
from bounty_ops.doctor.result import State
from bounty_ops.environments import Environment, Policy, load_settings
from bounty_ops.migrating import migrate_ops
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.doctor import CheckResult
    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops_tests.fix_command_line import CommandLine

    Tried = Callable[..., CheckResult]


def _key() -> tuple[str, str]:
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


@pytest.fixture
def tried(tmp_path: Path, s3_prefix: ObjectStoreSettings) -> Tried:
    def check(encrypt_to: tuple[str, ...], identities: tuple[str, ...] = ()) -> CheckResult:
        settings = dataclasses.replace(
            load_settings(tmp_path, {}), object_store=s3_prefix, age_identities=identities
        )
        environment = Environment("production", None, Policy(encrypt_to=encrypt_to))
        return encryption_key(environment, settings)

    return check


def test_keys_are_judged_by_whom_they_open_for(tried: Tried) -> None:
    private, public = _key()
    assert tried(()).state is State.OK
    assert tried((public,)).state is State.UNKNOWN
    assert tried((public,), (private,)).state is State.OK
    stranger = tried((public,), (_key()[0],))
    assert stranger.state is State.FAILED
    assert private not in str(stranger)


def test_the_newest_encrypted_backup_is_opened(filled: CommandLine) -> None:
    private, public = _key()
    config = filled.home / "bounty_ops.toml"
    config.write_text(f'[defaults]\nencrypt_to = ["{public}"]\n')
    assert filled.run("backup", "run", "--no-verify").code == 0

    def check(identity: str) -> CheckResult:
        variables = {**filled.variables, "BACKUP_AGE_IDENTITY": identity}
        settings = load_settings(filled.home, variables)
        return encryption_key(settings.environment("development"), settings)

    found = check(private)
    assert found.state is State.OK
    assert "opens the newest encrypted backup" in found.cause
    other_private, other_public = _key()
    config.write_text(f'[defaults]\nencrypt_to = ["{other_public}"]\n')
    lost = check(other_private)
    assert lost.state is State.FAILED
    assert "none of the private keys here opens" in lost.cause


def test_an_alert_that_nobody_would_hear_is_told(fresh_database: DatabaseUrl) -> None:
    migrate_ops(fresh_database)
    protected = Environment("production", None, Policy(protected=True))
    found = alert_path(protected, fresh_database)
    assert found.state is State.WARNING
    assert "ALERT_URL in .env.production" in (found.remedy or "")
    assert alert_path(Environment("qa", None, Policy()), fresh_database).state is State.OK

    nonsense = dataclasses.replace(protected, alert_urls=("t0ken-that-is-no-url",))
    refused = alert_path(nonsense, fresh_database)
    assert refused.state is State.FAILED
    assert "t0ken" not in str(refused)

    told = dataclasses.replace(protected, alert_urls=("json://127.0.0.1:1/t0ken",))
    silent = alert_path(told, fresh_database)
    assert silent.state is State.WARNING
    assert "evaluated never" in silent.cause
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("INSERT INTO bounty_ops.evaluation VALUES ('production', now())")
    assert alert_path(told, fresh_database).state is State.OK
