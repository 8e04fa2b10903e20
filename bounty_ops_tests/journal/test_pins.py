"""Pins hold, and a pin and a removal at the same moment never both believe to have won."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import JournalError, UsageError
from bounty_ops.journal import layout, new_id
from bounty_ops.journal.pins import is_pinned, pin_backup, read_pin, unpin_backup
from bounty_ops.journal.records import Tombstone
from bounty_ops.journal.removal import remove_backup
from bounty_ops_tests.journal.examples import NIGHT, a_backup

if TYPE_CHECKING:
    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import Manifest, Pin
    from bounty_ops.journal.removal import Removal


def pin(journal: Journal, manifest: Manifest, patience_seconds: float = 10.0) -> Pin:
    return pin_backup(
        journal.store,
        manifest.environment,
        manifest.id,
        by="ada",
        reason="audit",
        now=NIGHT,
        patience_seconds=patience_seconds,
    )


def remove(journal: Journal, manifest: Manifest) -> Removal:
    now = datetime.now(UTC)
    tombstone = Tombstone(
        id=new_id(now),
        backup_id=manifest.id,
        environment=manifest.environment,
        removed_at=now,
        removed_by="a test",
        reason="no rule",
    )
    return remove_backup(journal.store, tombstone)


def test_a_pin_is_written_read_and_taken_back(journal: Journal) -> None:
    manifest = a_backup(journal)
    pinned = pin(journal, manifest)
    assert read_pin(journal.store, "production", manifest.id) == pinned
    assert (pinned.pinned_by, pinned.reason, pinned.pinned_at) == ("ada", "audit", NIGHT)
    assert journal.summaries()[0].pinned
    assert pin(journal, manifest) == pinned, "the first one stays"
    assert unpin_backup(journal.store, "production", manifest.id)
    assert not unpin_backup(journal.store, "production", manifest.id)
    assert read_pin(journal.store, "production", manifest.id) is None


def test_what_is_not_there_cannot_be_pinned(journal: Journal) -> None:
    with pytest.raises(UsageError, match="there is no backup 20261122T020000Z-00000000"):
        pin_backup(
            journal.store, "production", "20261122T020000Z-00000000", by="a", reason="", now=NIGHT
        )
    assert list(journal.store.list("")) == []


def test_a_pin_that_cannot_be_read_pins_all_the_same(journal: Journal) -> None:
    manifest = a_backup(journal)
    journal.store.put_if_absent(layout.pin_key("production", manifest.id), b"scribble")
    with pytest.raises(JournalError, match=r"the pin .* cannot be read"):
        read_pin(journal.store, "production", manifest.id)
    assert journal.summaries()[0].pinned
    removal = remove(journal, manifest)
    assert (removal.removed, removal.problem) == (False, "it was pinned meanwhile")
    assert journal.summaries()[0].state == "complete"


def test_a_removal_that_was_killed_before_it_decided_is_told_with_the_pin_in_place(
    journal: Journal,
) -> None:
    manifest = a_backup(journal)
    journal.store.put_if_absent(layout.tombstone_key("production", manifest.id), b"{}")
    with pytest.raises(JournalError, match="a prune had begun to remove it"):
        pin(journal, manifest, patience_seconds=0)
    assert is_pinned(journal.store, "production", manifest.id)
    assert not remove(journal, manifest).removed, "the pin holds"


@pytest.mark.soak
def test_a_pin_and_a_removal_at_once_never_both_win(journal: Journal) -> None:
    """Whatever the order of their requests: a pin that succeeded belongs to a whole backup."""
    pinned = removed = 0
    for _ in range(25):
        manifest = a_backup(journal)
        start = threading.Barrier(2)

        def try_to_pin(manifest: Manifest = manifest, start: threading.Barrier = start) -> bool:
            start.wait()
            try:
                pin(journal, manifest)
            except UsageError:
                return False
            return True

        def try_to_remove(manifest: Manifest = manifest, start: threading.Barrier = start) -> bool:
            start.wait()
            return remove(journal, manifest).removed

        with ThreadPoolExecutor(2) as both:
            first, second = both.submit(try_to_pin), both.submit(try_to_remove)
            got_pin, got_removed = first.result(), second.result()
        prefix = layout.backup_prefix("production", manifest.id)
        left = {entry.key.removeprefix(prefix) for entry in journal.store.list(prefix)}
        if got_pin:
            assert not got_removed
            assert left == {"archive.dump", "manifest.json", "pin.json"}
        elif got_removed:
            assert left == set()
        pinned += got_pin
        removed += got_removed
    assert pinned + removed == 25
