"""Forgetting texts and subjects that nothing refers to any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, exists
from sqlalchemy.orm import aliased

from bounty_ops.monitoring.history.partitions import (
    COLLECTION,
    FIVE_MINUTES,
    HOURLY,
    SAMPLE,
    days_in_default,
    existing,
)
from bounty_ops.monitoring.history.subjects import TOUCHED_EVERY
from bounty_ops.schema.ops import SamplePage, SampleRolledDay, SampleSubject, SampleText

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import Connection

    from bounty_ops.monitoring.history.partitions import Tree

#: What is said of a use is older than the use by one of these at most; the other is to spare.
_STALE: Final = 2 * TOUCHED_EVERY


def forget(connection: Connection) -> int:
    """Delete what only rows referred to that have been dropped; returns how many rows.

    What decides is which days are still there, and not how long they should be: samples stay for
    longer until they can be rolled up, and partitions until their last day has expired.

    In the caller's transaction; he is `partitions.alone`, or a subject that comes back now would be
    taken from under its samples.
    """
    samples = _oldest(connection, (SAMPLE, COLLECTION)) - _STALE
    all_of_it = min(samples, _oldest(connection, (FIVE_MINUTES, HOURLY)) - _STALE)
    # The last page of a shelf stays: a writer may be about to put something there.
    later = aliased(SamplePage)
    unused = ~exists().where(SampleSubject.page_id == SamplePage.id)
    has_later = exists().where(
        later.environment == SamplePage.environment,
        later.shelf == SamplePage.shelf,
        later.id > SamplePage.id,
    )
    forgotten = 0
    for statement in (
        delete(SampleText).where(SampleText.used_on < samples, ~SampleText.lasting),
        delete(SampleText).where(SampleText.used_on < all_of_it),
        delete(SampleSubject).where(SampleSubject.seen_on < all_of_it),
        delete(SamplePage).where(unused, has_later),
    ):
        forgotten += connection.execute(statement).rowcount
    connection.execute(delete(SampleRolledDay).where(SampleRolledDay.day < all_of_it))
    return forgotten


def _oldest(connection: Connection, trees: Iterable[Tree]) -> date:
    """The first day that has a partition, or rows without one; there are some for next week."""
    return min(
        day
        for tree in trees
        for day in (*existing(connection, tree), *days_in_default(connection, tree))
    )
