"""What of a rehearsal deserves a look first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.migrating.running.locks import stronger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounty_ops.journal.evidence import LockTaken, RehearsedStatement


def worst_first(statements: Iterable[RehearsedStatement]) -> list[RehearsedStatement]:
    """Those that made somebody wait longest come first, then those that took longest."""
    return sorted(
        statements,
        key=lambda one: (
            -max(one.longest_read_seconds, one.longest_write_seconds),
            -one.seconds,
            one.revision,
            one.number,
        ),
    )


def strongest(locks: Iterable[LockTaken]) -> LockTaken | None:
    """The strongest of a statement's locks."""
    found: LockTaken | None = None
    for lock in locks:
        if found is None or stronger(found.mode, lock.mode) != found.mode:
            found = lock
    return found
