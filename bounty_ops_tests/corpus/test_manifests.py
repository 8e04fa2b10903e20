"""Edited, stale and broken manifests: what a verification says of their backups."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.errors import JournalError
from bounty_ops.journal import layout
from bounty_ops.journal.records import BackupState
from bounty_ops.restore import verify
from bounty_ops.restore.sandbox import Sandbox
from bounty_ops_tests.corpus import manifests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.corpus.stage import Stage


@pytest.fixture
def restored_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The stage, on which a verification finds its archive restored already."""

    @contextmanager
    def cluster(*_: object, **__: object) -> Iterator[DatabaseUrl]:
        yield stage.cluster

    def nothing(*_: object, **__: object) -> None:
        pass

    def observe(*_: object) -> object:
        return stage.observed

    monkeypatch.setattr(verify, "throwaway_cluster", cluster)
    monkeypatch.setattr(verify, "make_sandbox", lambda *_: Sandbox(stage.copy, ()))
    monkeypatch.setattr(verify, "restore_archive", nothing)
    monkeypatch.setattr(verify, "observe_as", observe)
    monkeypatch.setattr(verify, "check_indexes", nothing)
    return stage


@pytest.fixture
def stored(stage: Stage) -> Iterator[bytes]:
    """The manifest as it is stored; put back afterwards."""
    journal = stage.backups.journal
    data = journal.manifest_bytes(stage.manifest.environment, stage.manifest.id)
    yield data
    replace(stage, data)


def replace(stage: Stage, data: bytes) -> None:
    key = layout.manifest_key(stage.manifest.environment, stage.manifest.id)
    stage.backups.store.delete(key)
    stage.backups.store.put_if_absent(key, data)


def outcome(stage: Stage, data: bytes) -> str:
    """What comes out of a verification when these bytes lie there as the manifest."""
    replace(stage, data)
    try:
        return stage.backups.verify(stage.manifest).verdict.value
    except JournalError:
        summaries = stage.backups.journal.summaries()
        [summary] = [one for one in summaries if one.id == stage.manifest.id]
        return "unreadable" if summary.state is BackupState.DAMAGED else "listed as whole"


def as_json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content).encode()


def test_the_manifest_as_it_was_written_is_proved(restored_once: Stage, stored: bytes) -> None:
    assert outcome(restored_once, stored) == "proved"
    assert outcome(restored_once, as_json(json.loads(stored))) == "proved"


@pytest.mark.soak
def test_an_edited_manifest_is_not_proved(restored_once: Stage, stored: bytes) -> None:
    found = {}
    for edit in manifests.ALL:
        content = json.loads(stored)
        edit.change(content)
        found[edit.label] = outcome(restored_once, as_json(content))

    assert found == {edit.label: edit.expected for edit in manifests.ALL}


def test_a_manifest_of_another_backup_is_not_proved(restored_once: Stage, stored: bytes) -> None:
    stage = restored_once
    other = stage.backups.journal.manifest_bytes(stage.other.environment, stage.other.id)
    found = {}
    for stale in manifests.STALE:
        content = json.loads(stored)
        stale.change(content, json.loads(other))
        found[stale.label] = outcome(stage, as_json(content))

    assert found == {stale.label: stale.expected for stale in manifests.STALE}


def test_bytes_that_are_no_manifest_are_refused(restored_once: Stage, stored: bytes) -> None:
    found = {one.label: outcome(restored_once, one.spoil(stored)) for one in manifests.BYTES}

    assert found == {one.label: one.expected for one in manifests.BYTES}
