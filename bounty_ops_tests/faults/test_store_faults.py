"""One fault at every request to the store, of a whole backup and of a whole verification.

After each: what is listed is whole, and the next run succeeds and leaves nothing else behind.
"""

from __future__ import annotations

import dataclasses
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pyrage  # type: ignore[import-untyped] # it ships no types
import pytest

from bounty_ops.errors import BountyOpsError
from bounty_ops.journal import Journal
from bounty_ops.journal.records import BackupState, Verdict
from bounty_ops_tests.fix_backups import Backups, run
from bounty_ops_tests.fix_proxy import Fault, FaultyStore, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from _pytest.mark import ParameterSet

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest

    Plan = Callable[[Request], Fault | None]
    Start = Callable[..., FaultyStore]
    Make = Callable[..., list["Trial"]]

#: What boto3 leaves to the garbage collector when an answer breaks off.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: Most of a faulty run is waiting for its repetition.
AT_ONCE = 4
#: Each sweep takes some seconds; these are the ones that differ most from each other.
ALWAYS = {
    Fault.LOSE_ANSWER,
}
#: What stays as it is once it has begun.
LASTING = [
    Fault.ANSWER_403,
    Fault.ANSWER_503,
    Fault.EXPIRED_TOKEN,
    Fault.NO_BUCKET,
    Fault.LOSE_REQUEST,
]
#: Every table with a page of its own is large then.
TINY_GIB = 4096 / 2**30
#: An archive without a manifest is spared for hours: another machine may be about to write it.
LATER = timedelta(hours=21)


@pytest.fixture(autouse=True)
def _few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 repeat a failed call once, which costs a test less time than three times."""
    monkeypatch.setattr("bounty_ops.object_store.client.ATTEMPTS", 2)


@pytest.fixture
def databases(make_database: Callable[..., DatabaseUrl]) -> list[DatabaseUrl]:
    """Tiny ones; each can be backed up by one at a time."""
    made = [make_database() for _ in range(AT_ONCE)]
    for url in made:
        for name in ("t", "u"):
            run(url, f"CREATE TABLE {name} AS SELECT g AS id FROM generate_series(1, 9) g")
    return made


def some_in_a_soak(faults: Iterable[Fault], always: set[Fault]) -> list[ParameterSet]:
    """All of them in a long run, and some of them in each."""
    return [
        pytest.param(fault, marks=[] if fault in always else [pytest.mark.soak]) for fault in faults
    ]


def at(position: int, fault: Fault) -> Plan:
    return lambda request: fault if request.number == position else None


def since(position: int, fault: Fault) -> Plan:
    return lambda request: fault if request.number >= position else None


@dataclasses.dataclass(frozen=True)
class Trial:
    """One environment behind a proxy of its own."""

    faulty: FaultyStore
    directory: Path
    database: DatabaseUrl
    policy: dict[str, Any]

    @property
    def honest(self) -> Backups:
        """The same environment as seen past the proxy."""
        return Backups(Journal(self.faulty.honest), self.directory)

    def take(self) -> Manifest | None:
        """Back up through the proxy; None when that was refused."""
        backups = Backups(Journal(self.faulty.store()), self.directory)
        try:
            return backups.take(self.database, **self.policy)
        except BountyOpsError:
            return None

    def assert_only_whole_backups(self, taken: Manifest | None) -> None:
        listed = self.honest.journal.summaries()
        assert [one.state for one in listed] == [BackupState.COMPLETE] * len(listed)
        for summary in listed:
            manifest = self.honest.journal.read_manifest(summary.environment, summary.id)
            for record in manifest.objects:
                data = self.honest.store.get(record.key)
                assert hashlib.sha256(data).hexdigest() == record.sha256
        if taken is not None:
            assert [one.id for one in listed] == [taken.id]

    def assert_next_run_clears_away(self) -> Manifest:
        before = {one.id for one in self.honest.journal.summaries()}
        manifest = self.honest.take(self.database, **self.policy)
        after = {one.id for one in self.honest.journal.summaries()}
        assert after == before | {manifest.id}
        if self.honest.left_over():
            environment = self.honest.environment
            self.honest.journal.clear_abandoned(environment, now=datetime.now(UTC) + LATER)
        assert self.honest.left_over() == []
        return manifest


@pytest.fixture
def trials(faulty_s3: Start, tmp_path: Path, databases: list[DatabaseUrl]) -> Make:
    """Make a trial for each plan."""

    def make(plans: list[Plan], **policy: Any) -> list[Trial]:  # noqa: ANN401 - of Policy
        urls = cycle(databases)
        return [
            Trial(faulty_s3(plan), tmp_path / str(number), next(urls), policy)
            for number, plan in enumerate(plans)
        ]

    return make


def requests_of_a_backup(trials: Make, **policy: Any) -> int:  # noqa: ANN401 - of Policy
    [undisturbed] = trials([lambda _: None], **policy)
    assert undisturbed.take() is not None
    return len(undisturbed.faulty.requests)


def tried(trial: Trial) -> bool:
    """Whether a backup went well in spite of the fault."""
    taken = trial.take()
    trial.assert_only_whole_backups(taken)
    trial.assert_next_run_clears_away()
    return taken is not None


def all_tried(cases: list[Trial]) -> list[bool]:
    """Each database by one thread, since two backups of one exclude each other."""
    groups = [cases[first::AT_ONCE] for first in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        results = list(threads.map(lambda group: [tried(one) for one in group], groups))
    return [results[number % AT_ONCE][number // AT_ONCE] for number in range(len(cases))]


@pytest.mark.parametrize("fault", some_in_a_soak(Fault, ALWAYS))
def test_a_fault_at_any_request_of_a_backup_leaves_all_or_nothing(
    trials: Make, fault: Fault
) -> None:
    count = requests_of_a_backup(trials)
    cases = trials([at(position, fault) for position in range(1, count + 1)])

    all_tried(cases)

    last = cases[-1].honest
    newest = last.journal.read_manifest(last.environment, last.journal.summaries()[0].id)
    assert last.verify(newest).verdict is Verdict.PROVED
    met = [len(case.faulty.requests) >= position for position, case in enumerate(cases, start=1)]
    assert all(met)


@pytest.mark.parametrize("fault", some_in_a_soak(LASTING, set()))
def test_a_store_that_fails_from_any_request_on_leaves_all_or_nothing(
    trials: Make, fault: Fault
) -> None:
    count = requests_of_a_backup(trials)
    cases = trials([since(position, fault) for position in range(1, count + 1)])

    succeeded = all_tried(cases)

    assert not succeeded[0]


#: One for each way in which a request can go wrong.
TELLING = [
    Fault.ANSWER_500,
    Fault.ANSWER_403,
    Fault.ERROR_IN_200,
    Fault.CUT_REQUEST,
    Fault.DAMAGE_REQUEST,
    Fault.DENY_DONE,
    Fault.LOSE_ANSWER,
]


@pytest.mark.parametrize("fault", some_in_a_soak(TELLING, set()))
def test_the_same_holds_for_shards_that_are_encrypted(trials: Make, fault: Fault) -> None:
    key = pyrage.x25519.Identity.generate()
    policy = {"shard_above_gib": TINY_GIB, "encrypt_to": (str(key.to_public()),)}
    count = requests_of_a_backup(trials, **policy)
    cases = trials([at(position, fault) for position in range(1, count + 1)], **policy)

    all_tried(cases)

    last = cases[-1].honest
    newest = last.journal.read_manifest(last.environment, last.journal.summaries()[0].id)
    assert len(newest.shards) == 2
    assert last.verify(newest, (str(key),)).verdict is Verdict.PROVED


@pytest.mark.soak
@pytest.mark.parametrize("fault", [Fault.ANSWER_403, Fault.EXPIRED_TOKEN])
def test_a_store_that_fails_from_any_shard_on_leaves_all_or_nothing(
    trials: Make, fault: Fault
) -> None:
    policy = {"shard_above_gib": TINY_GIB}
    count = requests_of_a_backup(trials, **policy)

    all_tried(trials([since(position, fault) for position in range(1, count + 1)], **policy))
