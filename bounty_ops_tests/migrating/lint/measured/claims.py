"""Whether the lock that a finding names is the lock that was measured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bounty_ops_tests.migrating.lint.measured.measurement import MODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bounty_ops.migrating.lint import Finding
    from bounty_ops_tests.migrating.lint.measured.measurement import Measurement


def wrong_claims(measured: Measurement, findings: Iterable[Finding]) -> Iterator[str]:
    """Findings whose lock is stronger or weaker than what the statement took on that relation.

    A statement that fails gives its locks back at once; nothing can be said of those.
    """
    for finding in findings:
        if finding.lock is None or finding.relation is None:
            continue
        if finding.statement > len(measured.steps):
            continue
        taken = _taken(measured, finding.statement, plain(finding.relation))
        if finding.lock not in taken:
            seen = ", ".join(taken) or "none"
            yield (
                f"{finding.rule} (statement {finding.statement}): {finding.lock} on "
                f"{finding.relation}; measured: {seen}"
            )


def _taken(measured: Measurement, statement: int, relation: str) -> tuple[str, ...]:
    """What the statement may be said to take: its strongest new lock, or what it had already."""
    step = measured.steps[statement - 1]
    if step.locks.get(relation):
        return (step.locks[relation][-1],)
    held = {
        mode
        for earlier in measured.steps[: statement - 1]
        if earlier.transaction == step.transaction
        for mode in earlier.locks.get(relation, ())
    }
    return tuple(sorted(held, key=MODES.index))


def plain(relation: str) -> str:
    """The name as the measurements have it: without quotes and without "public."."""
    return re.sub(r"^public\.", "", relation.replace('"', ""))
