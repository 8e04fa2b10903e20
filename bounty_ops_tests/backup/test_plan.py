"""A plan says everything about a backup before anything is touched."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from bounty_ops.backup import BackupPlan, plan_backup
from bounty_ops.environments import (
    BucketLocation,
    DatabaseUrl,
    Environment,
    ObjectStoreSettings,
    Policy,
)
from bounty_ops.errors import ConfigurationError
from bounty_ops.object_store import ObjectStore

URL = DatabaseUrl("db.example", 5432, "bounty", "ops", "planted-password")
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
# Nobody listens there: planning must not connect.
STORE = ObjectStore(ObjectStoreSettings(BucketLocation("bucket", "some/prefix"), "http://[::1]:1"))


def plan(**policy: object) -> BackupPlan:
    environment = Environment("production", URL, Policy.model_validate(policy))
    return plan_backup(environment, STORE, now=NOW, taken_by="somebody")


def test_a_plan_reads_like_a_sentence() -> None:
    lines = str(plan(compression="gzip:6", lock_attempts=3)).splitlines()

    assert lines[0] == "back up production (db.example:5432/bounty)"
    assert lines[1].startswith("  to       s3://bucket/some/prefix, backups/production/20261122T02")
    assert lines[2].endswith("gzip:6, not encrypted by us")
    assert "3 attempts of 5 s" in lines[3]
    assert lines[4].endswith("somebody")


def test_a_plan_holds_no_password() -> None:
    made = plan()

    assert "planted" not in str(made) + repr(made)


def test_the_digest_is_that_of_everything_in_it() -> None:
    made = plan()
    fields: dict[str, Any] = {field.name: "changed" for field in dataclasses.fields(made)}
    others = [dataclasses.replace(made, **{name: value}) for name, value in fields.items()]

    assert len({made.digest, *(other.digest for other in others)}) == len(others) + 1
    assert made.digest == dataclasses.replace(made).digest


def test_two_plans_of_one_second_are_two_backups() -> None:
    assert plan().id != plan().id


def test_an_unconfigured_environment_cannot_be_planned() -> None:
    environment = Environment("staging", None, Policy())

    with pytest.raises(ConfigurationError, match="staging is unconfigured"):
        plan_backup(environment, STORE, now=NOW, taken_by="somebody")
