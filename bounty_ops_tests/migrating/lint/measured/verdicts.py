"""From what was measured to what is a hazard: pure, and the only place that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops_tests.migrating.lint.measured.measurement import MODES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops_tests.migrating.lint.measured.measurement import Measurement

#: INSERT, UPDATE and DELETE take ROW EXCLUSIVE; from SHARE on, a lock makes them wait.
_BLOCKS_WRITES: Final = frozenset(MODES[MODES.index("SHARE") :])
#: SELECT takes ACCESS SHARE, and nobody writes to a materialized view or an index by name.
_BLOCKS_READS: Final = frozenset({"ACCESS EXCLUSIVE"})
#: Longer than that, a queue behind a waiting lock is an outage.
_PATIENCE: Final = 10_000


def verdict_of(measured: Measurement) -> tuple[str, ...]:
    """Why a file is a hazard; empty if it is none."""
    return tuple(dict.fromkeys(_reasons(measured)))


def _reasons(measured: Measurement) -> Iterator[str]:
    if measured.error:
        yield f"fails ({measured.error})"
    if measured.left_open:
        yield "leaves its transaction open"
    yield from (f"INVALID index {name}" for name in measured.invalid)
    yield from (f"loses {name}" for name in measured.lost)
    yield from (f"breaks {name}" for name in measured.broken)
    yield from (f"opens {name}" for name in measured.opened)
    yield from (f"publishes {name} no more" for name in measured.unpublished)
    yield from _locked_work(measured)
    for step in measured.steps:
        yield from (f"changes most of {name} at once" for name in step.changed)


def _locked_work(measured: Measurement) -> Iterator[str]:
    held: dict[str, str] = {}
    transaction = 0
    for step in measured.steps:
        if step.transaction != transaction:
            held, transaction = {}, step.transaction
        fresh = {
            name: mode
            for name, modes in step.locks.items()
            for mode in modes
            if mode in _blocking(measured.kinds.get(name, "table"))
        }
        held.update(fresh)
        if fresh and not 0 < step.lock_timeout <= _PATIENCE:
            yield "waits for " + ", ".join(sorted(fresh)) + " without a useful lock_timeout"
        if held and (step.worked or step.rewritten):
            work = sorted({*step.worked, *step.rewritten})
            yield f"works on {', '.join(work)} while {', '.join(sorted(held))} is locked"


def _blocking(kind: str) -> frozenset[str]:
    if kind == "table":
        return _BLOCKS_WRITES
    return _BLOCKS_READS if kind in {"materialized view", "index", "view"} else frozenset()
