"""Who relies on copies, on the night's prune or on the store's lock hears when they fail."""

from __future__ import annotations

import dataclasses
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.alerting import Evaluation, Keeping, Rule, evaluate, look_at_keeping
from bounty_ops.backup.copying import copy_backup
from bounty_ops.environments import BucketLocation, Environment, Policy, Settings
from bounty_ops.errors import ObjectStoreUnavailable
from bounty_ops.journal import Journal, layout
from bounty_ops.journal.records import ObjectLock, Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops.object_store.client import make_client
from bounty_ops_tests.alerting.situations import NOW, backup, situation
from bounty_ops_tests.backup.test_prune import judge
from bounty_ops_tests.journal.examples import a_backup

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops.journal.records import Manifest
    from bounty_ops_tests.fix_proxy import FaultyStore

AWAY = ObjectStoreUnavailable("nobody answers at the second endpoint", hint="Check the URL.")
SIZE = 100 * 1024 * 1024
OURS = {Rule.COPY_OVERDUE, Rule.PRUNE_REFUSED, Rule.BACKUP_NOT_LOCKED}


def rules(evaluation: Evaluation) -> set[Rule]:
    return {finding.rule for finding in evaluation.findings} & OURS


def copied(*hours: float, size: int = SIZE) -> Keeping:
    return Keeping(copies={backup(hours=one).id: size for one in hours})


def last_night(keeping: Keeping, *ages: float) -> Evaluation:
    backups = tuple(backup(hours=one) for one in ages)
    return evaluate(dataclasses.replace(situation(backups=backups), keeping=keeping))


@pytest.mark.parametrize(
    ("keeping", "fires"),
    [
        (Keeping(), False),  # no second bucket is wanted
        (copied(3, 27, 51), False),
        (copied(27, 51), False),  # this night's has until the next
        (copied(51), True),
        (copied(), True),
        (copied(3), False),  # newer than the one that is due
        (copied(3, 27, 51, size=SIZE - 1), True),  # not whole
        (Keeping(copies=AWAY), True),
    ],
)
def test_a_copy_is_overdue_when_a_night_has_passed_without_it(
    keeping: Keeping, *, fires: bool
) -> None:
    evaluation = last_night(keeping, 3, 27, 51)
    assert rules(evaluation) == ({Rule.COPY_OVERDUE} if fires else set())
    assert not evaluation.undecided & OURS


def test_a_copy_that_never_comes_is_told_day_and_night() -> None:
    for hour in range(1, 49):
        evaluation = last_night(copied(), hour % 24 + 0.5, hour % 24 + 24.5, hour % 24 + 48.5)
        assert rules(evaluation) == {Rule.COPY_OVERDUE}, hour


def test_only_what_is_proved_has_to_be_copied() -> None:
    backups = (backup(hours=30, verdict=Verdict.REFUTED), backup(hours=54, verdict=Verdict.PROVED))
    keeping = Keeping(copies={backups[1].id: SIZE})
    evaluation = evaluate(dataclasses.replace(situation(backups=backups), keeping=keeping))
    assert Rule.COPY_OVERDUE not in rules(evaluation)


@pytest.mark.parametrize(
    ("keeping", "expected"),
    [
        (Keeping(prune_refused="the clock went backwards: ..."), Rule.PRUNE_REFUSED),
        (Keeping(unlocked={"backups/a": "has no lock"}), Rule.BACKUP_NOT_LOCKED),
    ],
)
def test_what_was_seen_is_told_with_its_reason(keeping: Keeping, expected: Rule) -> None:
    evaluation = evaluate(dataclasses.replace(situation(), keeping=keeping))
    [finding] = evaluation.findings
    assert finding.rule is expected
    assert "Do: bounty-ops" in finding.body
    assert str(next(iter(finding.evidence.values()))) in f"{finding.title} {finding.evidence}"


def test_what_could_not_be_seen_is_not_well() -> None:
    evaluation = evaluate(dataclasses.replace(situation(), keeping=Keeping(unlocked=AWAY)))
    assert rules(evaluation) == {Rule.BACKUP_NOT_LOCKED}
    assert "may not be locked" in evaluation.findings[0].title
    assert rules(evaluate(situation(backups=AWAY))) == set()
    assert evaluate(situation(backups=AWAY)).undecided >= OURS


@dataclasses.dataclass
class Place:
    """A bucket with backups of some nights, and perhaps a second one."""

    journal: Journal
    settings: Settings

    def night(self, days_ago: float, **facts: Any) -> Manifest:  # noqa: ANN401 - of Manifest
        taken_at = NOW - timedelta(days=days_ago)
        values = {"taken_at": taken_at, "finished_at": taken_at, "retention_class": "scheduled"}
        manifest = a_backup(self.journal, **values, **facts)
        judge(self.journal, manifest, Verdict.PROVED)
        return manifest

    def rules(self, **policy: Any) -> set[Rule]:  # noqa: ANN401 - of Policy
        environment = Environment("production", None, Policy(**policy))
        backups = self.journal.summaries("production")
        found = look_at_keeping(environment, self.settings, self.journal, backups, now=NOW)
        seen = situation(backups=backups, policy=environment.policy)
        return rules(evaluate(dataclasses.replace(seen, keeping=found)))


@pytest.fixture
def make_place(tmp_path: Path) -> Callable[..., Place]:
    def make(first: ObjectStoreSettings, second: ObjectStoreSettings | None = None) -> Place:
        settings = Settings(tmp_path, tmp_path, {}, "production", copy_object_store=second)
        return Place(Journal(ObjectStore(first, patience_seconds=0)), settings)

    return make


def test_a_second_bucket_is_looked_at_only_where_one_is_set(
    make_place: Callable[..., Place], faulty_s3: Callable[..., FaultyStore]
) -> None:
    second = faulty_s3(lambda _: None)
    prefix = dataclasses.replace(
        second.honest.location, prefix=f"{second.honest.location.prefix}/first"
    )
    place = make_place(dataclasses.replace(second.settings, location=prefix), second.settings)
    manifest = place.night(1.5)

    assert place.rules() == {Rule.COPY_OVERDUE}
    assert place.rules(copy_after_proof=False) == set()
    copy_backup(place.journal, Journal(second.store()), "production", manifest.id)
    assert place.rules() == set()
    assert make_place(second.settings).rules() == set()


def test_a_prune_that_would_delete_too_much_or_has_a_wrong_clock_is_told(
    make_place: Callable[..., Place], s3_prefix: ObjectStoreSettings
) -> None:
    place = make_place(s3_prefix)
    for days in (1, 2, 3, 4):
        place.night(days)

    assert place.rules() == set()
    assert place.rules(keep_last=3) == set()
    assert place.rules(keep_last=1) == {Rule.PRUNE_REFUSED}
    assert place.rules(keep_last=1, prune_most_share=0.9) == set()
    assert place.rules(keep_last=1, prune_nightly=False) == set()

    place.night(-0.5)  # from the future
    assert place.rules(keep_last=3) == {Rule.PRUNE_REFUSED}


def test_a_lock_that_the_policy_wants_and_the_store_does_not_keep_is_told(
    make_place: Callable[..., Place],
    s3_store: ObjectStoreSettings,
    s3_prefix: ObjectStoreSettings,
) -> None:
    lock = ObjectLock(mode="GOVERNANCE", until=NOW + timedelta(days=3650))
    plain = make_place(s3_prefix)
    plain.night(1, object_lock=lock)
    assert plain.rules(object_lock="governance") == {Rule.BACKUP_NOT_LOCKED}
    assert plain.rules(object_lock="none") == set()

    bucket = f"locking-{secrets.token_hex(4)}"
    make_client(s3_store).create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    place = make_place(dataclasses.replace(s3_store, location=BucketLocation(bucket, "here")))
    place.night(2)  # taken before the policy said so
    assert place.rules(object_lock="governance") == set()
    manifest = place.night(1, object_lock=lock)
    store = place.journal.store
    assert place.rules(object_lock="governance") == {Rule.BACKUP_NOT_LOCKED}
    store.lock_object(layout.manifest_key("production", manifest.id), lock.mode, lock.until)
    assert place.rules(object_lock="governance") == {Rule.BACKUP_NOT_LOCKED}
    store.lock_object(manifest.archive.key, lock.mode, lock.until)
    assert place.rules(object_lock="governance") == set()
