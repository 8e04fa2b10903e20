"""What `doctor` says about a bucket, in words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bounty_ops.doctor import State
from bounty_ops.doctor.store import examine_bucket, judge_endpoint
from bounty_ops.environments import ObjectStoreSettings, load_settings
from bounty_ops.object_store.client import make_client
from bounty_ops_tests.fix_proxy import Fault
from bounty_ops_tests.habits import Habit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.doctor import CheckResult
    from bounty_ops_tests.fix_proxy import FaultyStore

    Start = Callable[..., FaultyStore]
    Examined = Callable[..., dict[tuple[str, str], CheckResult]]


@pytest.fixture
def examined(tmp_path: Path) -> Examined:
    """Examine buckets and return what was found of each."""

    def examine(
        first: ObjectStoreSettings, copies: ObjectStoreSettings | None = None
    ) -> dict[tuple[str, str], CheckResult]:
        settings = dataclasses.replace(
            load_settings(tmp_path, {}), object_store=first, copy_object_store=copies
        )
        return {(one.subject, one.name): one for one in examine_bucket(settings)}

    return examine


def not_well(found: dict[tuple[str, str], CheckResult]) -> dict[str, State]:
    return {name: one.state for (_, name), one in found.items() if one.state is not State.OK}


def test_a_plain_bucket_lacks_protection_only(
    s3_prefix: ObjectStoreSettings, examined: Examined
) -> None:
    found = examined(s3_prefix)

    assert not_well(found) == {"protection": State.WARNING}
    assert "no Object Lock" in found["bucket", "protection"].cause
    assert "no versions" in found["bucket", "protection"].cause
    assert "Object Lock" in (found["bucket", "protection"].remedy or "")
    assert "not replaced" in found["bucket", "never replaced"].cause


def test_versions_are_a_protection(s3_store: ObjectStoreSettings, examined: Examined) -> None:
    location = dataclasses.replace(s3_store.location, bucket="with-versions")
    settings = dataclasses.replace(s3_store, location=location)
    client = make_client(settings)
    client.create_bucket(Bucket="with-versions", ObjectLockEnabledForBucket=True)

    assert not_well(examined(settings)) == {}


@pytest.mark.parametrize(
    ("habit", "name", "state"),
    [
        (Habit.IGNORES_CONDITIONS, "never replaced", State.WARNING),
        (Habit.REFUSES_CONDITIONS, "never replaced", State.WARNING),
        (Habit.IGNORES_CHECKSUMS, "damage refused", State.WARNING),
        (Habit.IGNORES_RANGES, "resumed reading", State.WARNING),
        (Habit.DENIES_DELETING, "deleting", State.WARNING),
        (Habit.LISTS_NO_UPLOADS, "unfinished uploads", State.WARNING),
        (Habit.DENIES_SETTINGS, "kept by its rules", State.UNKNOWN),
        (Habit.DENIES_SETTINGS, "protection", State.UNKNOWN),
    ],
)
@pytest.mark.many(every=3)
def test_a_missing_promise_is_a_warning_and_one_that_is_not_seen_is_unknown(
    faulty_s3: Start, examined: Examined, habit: Habit, name: str, state: State
) -> None:
    found = examined(faulty_s3(habits={habit}).settings)

    assert found["bucket", name].state is state
    assert found["bucket", name].cause
    assert found["bucket", name].remedy


def test_keys_that_may_not_write_are_a_failure(faulty_s3: Start, examined: Examined) -> None:
    faulty = faulty_s3(lambda one: Fault.ANSWER_403 if one.method in {"PUT", "POST"} else None)

    assert examined(faulty.settings)["bucket", "writing"].state is State.FAILED


def test_the_bucket_for_copies_is_examined_as_well(
    s3_prefix: ObjectStoreSettings, faulty_s3: Start, examined: Examined
) -> None:
    copies = faulty_s3(habits={Habit.REFUSES_CONDITIONS}).settings

    found = examined(s3_prefix, copies)

    assert found["bucket", "never replaced"].state is State.OK
    assert found["bucket for copies", "never replaced"].state is State.WARNING


def test_a_bucket_for_copies_that_is_set_wrongly_is_a_failure(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"BACKUP_COPY_BUCKET": "nonsense"})

    found = {(one.subject, one.name): one for one in examine_bucket(settings)}

    assert found["bucket for copies", "reachable"].state is State.FAILED
    assert "BACKUP_COPY_BUCKET" in found["bucket for copies", "reachable"].cause


@pytest.mark.parametrize(
    ("endpoint", "state", "said"),
    [
        (None, State.OK, "TLS"),
        ("https://s3.example.org", State.OK, "TLS"),
        ("http://127.0.0.1:8333", State.OK, "does not leave this machine"),
        ("http://[::1]:8333", State.OK, "does not leave this machine"),
        ("http://s3.internal:8333", State.WARNING, "not encrypted"),
    ],
)
def test_backups_in_the_clear_on_a_network_are_a_warning(
    endpoint: str | None, state: State, said: str
) -> None:
    found = judge_endpoint("bucket", endpoint)

    assert (found.state, said in found.cause) == (state, True)
