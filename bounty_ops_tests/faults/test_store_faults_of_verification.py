"""One fault at every request to the store of a whole verification: no sound backup is refuted.

The drill itself makes no request; its copy is restored once and looked at by every case.
"""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import BountyOpsError
from bounty_ops.journal import Journal
from bounty_ops.journal.records import Manifest, Proof, Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore import verify
from bounty_ops.restore.sandbox import Sandbox
from bounty_ops_tests.fix_backups import Backups, run
from bounty_ops_tests.fix_proxy import Fault, FaultyStore, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

    Plan = Callable[[Request], Fault | None]
    Start = Callable[..., FaultyStore]

#: What boto3 leaves to the garbage collector when an answer breaks off.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: The manifest, the archive, the names of the proofs there are, and the new proof.
OPERATIONS = ["get", "get", "list", "head", "put"]
#: The one that looks most like a damaged backup; the rest in a soak.
ALWAYS = {Fault.DAMAGE_ANSWER}


@pytest.fixture(autouse=True)
def _few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 repeat a failed call once, which costs a test less time than three times."""
    monkeypatch.setattr("bounty_ops.object_store.client.ATTEMPTS", 2)


@pytest.fixture
def database(fresh_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> DatabaseUrl:
    """A tiny database that stands for its own restored copy."""
    run(fresh_database, "CREATE TABLE t AS SELECT g AS id, 'x' AS x FROM generate_series(1, 9) g")

    @contextmanager
    def cluster(*_: object, **__: object) -> Iterator[DatabaseUrl]:
        yield fresh_database

    def nothing(*_: object, **__: object) -> None:
        pass

    monkeypatch.setattr(verify, "throwaway_cluster", cluster)
    monkeypatch.setattr(verify, "make_sandbox", lambda *_: Sandbox(fresh_database, ()))
    monkeypatch.setattr(verify, "restore_archive", nothing)
    monkeypatch.setattr(verify, "check_indexes", nothing)
    return fresh_database


@dataclasses.dataclass(frozen=True)
class Trial:
    """A backup behind a proxy."""

    faulty: FaultyStore
    honest: Backups
    manifest: Manifest

    def verify(self) -> Proof | None:
        """Verify through the proxy; None when that was refused."""
        journal = Journal(self.faulty.store())
        try:
            return dataclasses.replace(self.honest, journal=journal).verify(self.manifest)
        except BountyOpsError:
            return None

    def listed(self) -> Verdict:
        """What a list says of the backup."""
        [summary] = self.honest.journal.summaries()
        return summary.verdict


@pytest.fixture
def trial(faulty_s3: Start, database: DatabaseUrl, tmp_path: Path) -> Callable[[Plan], Trial]:
    """Start a proxy that follows a plan, with the same backup behind each."""
    first = Backups(Journal(faulty_s3().honest), tmp_path / "work")
    manifest = first.take(database)
    archive = first.store.get(manifest.archive.key)

    def make(plan: Plan) -> Trial:
        faulty = faulty_s3(plan)
        honest = Backups(Journal(ObjectStore(faulty.honest._settings)), tmp_path / "work")
        honest.store.put_if_absent(manifest.archive.key, archive)
        honest.journal.write_manifest(manifest)
        return Trial(faulty, honest, manifest)

    return make


def assert_never_refuted(trial: Trial) -> Proof | None:
    proof = trial.verify()

    assert proof is None or proof.verdict is not Verdict.REFUTED or trial.listed() != "refuted"
    assert trial.listed() in {Verdict.PROVED, Verdict.UNVERIFIED}
    assert list((trial.honest.work_dir).glob("verification-*")) == []
    assert trial.honest.verify(trial.manifest).verdict is Verdict.PROVED
    assert trial.listed() is Verdict.PROVED
    assert trial.honest.left_over() == []
    return proof


def test_an_undisturbed_verification_makes_only_these_requests(
    trial: Callable[[Plan], Trial],
) -> None:
    undisturbed = trial(lambda _: None)

    proof = undisturbed.verify()

    assert proof is not None
    assert proof.verdict is Verdict.PROVED
    assert undisturbed.faulty.operations() == OPERATIONS


@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, marks=[] if fault in ALWAYS else [pytest.mark.soak]) for fault in Fault],
)
def test_a_fault_at_any_request_of_a_verification_refutes_nothing(
    trial: Callable[[Plan], Trial], fault: Fault
) -> None:
    for position in range(1, len(OPERATIONS) + 1):
        case = trial(partial(_at, position, fault))

        assert_never_refuted(case)

        assert len(case.faulty.requests) >= position


@pytest.mark.parametrize(
    "fault",
    [
        Fault.EXPIRED_TOKEN,
        *(
            pytest.param(fault, marks=pytest.mark.soak)
            for fault in (Fault.ANSWER_403, Fault.ANSWER_503, Fault.NO_BUCKET, Fault.LOSE_REQUEST)
        ),
    ],
)
def test_a_store_that_fails_from_any_request_on_is_no_verdict(
    trial: Callable[[Plan], Trial], fault: Fault
) -> None:
    for position in range(1, len(OPERATIONS) + 1):
        case = trial(partial(_since, position, fault))

        assert assert_never_refuted(case) is None


def _at(position: int, fault: Fault, request: Request) -> Fault | None:
    return fault if request.number == position else None


def _since(position: int, fault: Fault, request: Request) -> Fault | None:
    return fault if request.number >= position else None
