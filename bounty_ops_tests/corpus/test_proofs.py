"""Edited, copied and broken proofs: what a list says of their backup."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.journal import Journal, layout, new_id
from bounty_ops.journal.placed import manifest_sha256
from bounty_ops.journal.records import (
    BackupSummary,
    Difference,
    Manifest,
    Proof,
    Verdict,
    record_bytes,
)
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.corpus import proofs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops_tests.corpus.stage import Stage

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DIFFERENCE = Difference(kind="archive", object="a", expected="1", found="2")


@dataclasses.dataclass(frozen=True)
class Shelves:
    """The two backups of the stage under a prefix of their own, without any proof."""

    journal: Journal
    manifest: Manifest
    other: Manifest

    def proof(self, manifest: Manifest, verdict: Verdict, at: datetime = NOW) -> Proof:
        """A proof as a verification would have made it."""
        data = self.journal.manifest_bytes(manifest.environment, manifest.id)
        proved = verdict is Verdict.PROVED
        return Proof(
            id=new_id(at),
            backup_id=manifest.id,
            environment=manifest.environment,
            verdict=verdict,
            verified_at=at,
            seconds=1.0,
            differences=(DIFFERENCE,) if verdict is Verdict.REFUTED else (),
            tables_compared=len(manifest.tables) if proved else 0,
            rows_compared=manifest.rows if proved else 0,
            manifest_sha256=manifest_sha256(data),
            server_version="17.10",
            reason="the drill failed" if verdict is Verdict.INCONCLUSIVE else None,
        )

    def listed(self) -> BackupSummary:
        """What a list says of the first backup."""
        [summary] = [one for one in self.journal.summaries() if one.id == self.manifest.id]
        return summary

    def listed_with(self, proof: Proof, data: bytes, *, name: str | None = None) -> str:
        """The verdict that a list shows while these bytes lie there as that proof."""
        key = layout.proof_key(self.manifest.environment, self.manifest.id, name or proof.id)
        self.journal.store.put_if_absent(key, data)
        verdict = self.listed().verdict.value
        self.journal.store.delete(key)
        return verdict


@pytest.fixture
def shelves(stage: Stage, s3_prefix: ObjectStoreSettings) -> Shelves:
    """Whole backups whose proofs each case brings along."""
    journal = Journal(ObjectStore(s3_prefix))
    for manifest, archive in (
        (stage.manifest, stage.archive),
        (stage.other, stage.other_archive),
    ):
        journal.store.put_if_absent(manifest.archive.key, archive)
        journal.write_manifest(manifest)
    return Shelves(journal, stage.manifest, stage.other)


@pytest.mark.parametrize("verdict", [Verdict.PROVED, Verdict.REFUTED, Verdict.INCONCLUSIVE])
def test_a_proof_as_it_was_written_counts(shelves: Shelves, verdict: Verdict) -> None:
    proof = shelves.proof(shelves.manifest, verdict)

    assert shelves.listed().verdict is Verdict.UNVERIFIED
    assert shelves.listed_with(proof, record_bytes(proof)) == verdict.value


@pytest.mark.parametrize(
    ("verdict", "edits"),
    [
        (Verdict.PROVED, proofs.OF_PROVED),
        (Verdict.REFUTED, proofs.OF_REFUTED),
        (Verdict.INCONCLUSIVE, proofs.OF_INCONCLUSIVE),
    ],
)
def test_an_edited_proof_proves_nothing(
    shelves: Shelves, verdict: Verdict, edits: Sequence[proofs.Edit]
) -> None:
    own = shelves.proof(shelves.manifest, verdict)
    other = json.loads(record_bytes(shelves.proof(shelves.other, Verdict.PROVED)))
    found = {}
    for edit in edits:
        content = json.loads(record_bytes(own))
        edit.change(content, other)
        found[edit.label] = shelves.listed_with(own, json.dumps(content).encode())

    assert found == {edit.label: edit.expected for edit in edits}


def test_bytes_that_are_no_proof_prove_nothing(shelves: Shelves) -> None:
    proof = shelves.proof(shelves.manifest, Verdict.PROVED)
    data = record_bytes(proof)

    found = {
        label: shelves.listed_with(proof, spoil(data)) for label, spoil in proofs.BYTES.items()
    }

    assert found == dict.fromkeys(proofs.BYTES, "unverified")


def test_a_proof_in_the_wrong_place_proves_nothing(shelves: Shelves) -> None:
    own = shelves.proof(shelves.manifest, Verdict.PROVED)
    other = shelves.proof(shelves.other, Verdict.PROVED)

    renamed = shelves.listed_with(own, record_bytes(own), name=new_id(NOW))
    copied = shelves.listed_with(other, record_bytes(other))

    assert (renamed, copied) == ("unverified", "unverified")


def test_a_proof_of_the_manifest_before_an_edit_proves_nothing(shelves: Shelves) -> None:
    shelves.journal.write_proof(shelves.proof(shelves.manifest, Verdict.PROVED))
    assert shelves.listed().verdict is Verdict.PROVED

    key = layout.manifest_key(shelves.manifest.environment, shelves.manifest.id)
    data = shelves.journal.store.get(key)
    shelves.journal.store.delete(key)
    shelves.journal.store.put_if_absent(key, data.replace(b"a test", b"somebody"))

    assert shelves.listed().verdict is Verdict.UNVERIFIED


@pytest.mark.parametrize("step", [timedelta(days=-400), timedelta(0), timedelta(days=400)])
@pytest.mark.parametrize("last", [Verdict.PROVED, Verdict.REFUTED, Verdict.INCONCLUSIVE])
def test_the_last_proof_counts_whatever_the_clock_says(
    shelves: Shelves, step: timedelta, last: Verdict
) -> None:
    manifest, journal = shelves.manifest, shelves.journal
    verdicts = [one for one in (Verdict.PROVED, Verdict.REFUTED) if one is not last]
    at = NOW
    for verdict in [*verdicts, last]:
        proof = shelves.proof(manifest, verdict, at)
        proof_id = journal.new_proof_id(manifest.environment, manifest.id, at)
        journal.write_proof(proof.model_copy(update={"id": proof_id}))
        at += step

    assert shelves.listed().verdict is last
    assert journal.proofs(manifest.environment, manifest.id)[0].verdict is last
