"""Checks of the newest backup: its size beside the others', and whether a key here opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pyrage  # type: ignore[import-untyped] # it ships no types
import pytest

from bounty_ops.backup import plan_backup, take_backup
from bounty_ops.defs.backup_checks import key_opens, unusual_size
from bounty_ops.defs.failures import Secrets
from bounty_ops.defs.workplace import opened
from bounty_ops_tests.alerting.situations import NOW, backup
from bounty_ops_tests.fix_backups import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.defs.conftest import Deployment

MIB = 1024 * 1024


def sized(*sizes: int) -> dg.AssetCheckResult:
    backups = [backup(hours=1 + 24 * night, size_bytes=size) for night, size in enumerate(sizes)]
    return unusual_size(backups, 0.5, NOW)


@pytest.mark.parametrize(
    ("sizes", "passed", "words"),
    [
        ((100 * MIB,) * 4, True, "1.00 times the median of the 3 before it"),
        ((10 * MIB, *(100 * MIB,) * 3), False, "0.10 times"),
        ((300 * MIB, *(100 * MIB,) * 3), False, "3.00 times"),
        ((10 * MIB, 100 * MIB), True, "too few earlier backups"),
        ((), True, "too few earlier backups"),
    ],
)
def test_the_size_of_the_newest_is_judged_by_those_before(
    sizes: tuple[int, ...], passed: bool, words: str
) -> None:
    found = sized(*sizes)
    assert (found.passed, found.severity) == (passed, dg.AssetCheckSeverity.WARN)
    assert words in (found.description or "")


def judged() -> dg.AssetCheckResult:
    with opened("development", Secrets(), database=False, ops=False) as place:
        return key_opens(place, "development")


def test_the_key_is_tried_on_the_backup_itself(
    make_deployment: Callable[..., Deployment], fresh_database: DatabaseUrl
) -> None:
    key, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    run(fresh_database, "CREATE TABLE bounty (id int)")
    policy = f'[defaults]\nencrypt_to = ["{key.to_public()}"]\n'
    deployment = make_deployment(development=fresh_database, policy=policy)
    settings = (deployment.home / ".env").read_text("utf-8")

    def with_key(identity: str) -> None:
        text = f"{settings}\nBACKUP_AGE_IDENTITY={identity}\n"
        (deployment.home / ".env").write_text(text, encoding="utf-8")

    none = judged()
    assert (none.passed, none.description) == (False, "there is no complete backup")

    environment = deployment.settings().environment("development")
    journal = deployment.journal()
    plan = plan_backup(environment, journal.store, now=NOW, taken_by="a test")
    take_backup(plan, fresh_database, journal)

    without = judged()
    assert (without.passed, without.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "no private key is set" in (without.description or "")

    with_key(str(other))
    wrong = judged()
    assert (wrong.passed, wrong.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "none of the private keys set here opens it" in (wrong.description or "")
    assert str(other) not in repr(wrong)

    with_key(str(key))
    right = judged()
    assert right.passed
    assert "opens with a key here" in (right.description or "")
