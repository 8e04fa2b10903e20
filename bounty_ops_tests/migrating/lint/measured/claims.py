"""Whether what a finding says of locks, rewrites and scans is what was measured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bounty_ops_tests.migrating.lint.measured.measurement import MODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bounty_ops.migrating.lint import Finding
    from bounty_ops_tests.migrating.lint.measured.measurement import Measurement

_REWRITES: Final = re.compile(r"\b(?:written|writes (?:all|every row) of \S+) again\b")
_SCANS: Final = re.compile(r"\b(?:reads all rows|checks every row|scans (?!nothing))")


def wrong_claims(
    measured: Measurement, findings: Iterable[Finding], known: frozenset[str]
) -> Iterator[str]:
    """Findings whose lock is stronger or weaker than what the statement took on that relation.

    A statement that fails gives its locks back at once; nothing can be said of those, nor of
    relations that are not `known` to exist.
    """
    for finding in findings:
        if finding.lock is None or finding.relation is None:
            continue
        relation = plain(finding.relation)
        if finding.statement > len(measured.steps) or relation not in known:
            continue
        taken = _taken(measured, finding.statement, relation)
        if finding.lock not in taken:
            yield (
                f"{finding.rule} (statement {finding.statement}): {finding.lock} on "
                f"{finding.relation}; measured: {', '.join(taken) or 'none'}"
            )


def _taken(measured: Measurement, statement: int, relation: str) -> tuple[str, ...]:
    """What the statement may be said to take.

    That is its strongest lock, if its transaction had not had it before. Otherwise it cannot be
    seen, and may be any that the transaction had.
    """
    step = measured.steps[statement - 1]
    fresh = step.locks.get(relation, ())[-1:]
    held = {
        mode
        for earlier in measured.steps[: statement - 1]
        if earlier.transaction == step.transaction
        for mode in earlier.locks.get(relation, ())
        if not fresh or MODES.index(mode) > MODES.index(fresh[0])
    }
    return (*fresh, *sorted(held, key=MODES.index))


def wrong_work(measured: Measurement, findings: Iterable[Finding]) -> Iterator[str]:
    """Findings that speak of a rewrite, or of a scan, where there was none."""
    for finding in findings:
        if finding.level == "advice" or finding.relation is None:
            continue
        if finding.statement > len(measured.steps):
            continue
        step = measured.steps[finding.statement - 1]
        claims = ((_REWRITES, step.rewritten), (_SCANS, (*step.worked, *step.rewritten)))
        for pattern, done in claims:
            # Of a partitioned table it is the partitions that are read and written.
            if pattern.search(finding.message) and not done:
                yield f"{finding.rule} (statement {finding.statement}): {finding.message}"


def relations(measured: Iterable[Measurement]) -> frozenset[str]:
    """Every relation that was seen to be locked or used by anything."""
    return frozenset(
        name
        for one in measured
        for step in one.steps
        for name in (*step.locks, *step.worked, *step.rewritten)
    )


def plain(relation: str) -> str:
    """The name as the measurements have it: without quotes and without "public."."""
    return re.sub(r"^public\.", "", relation.replace('"', ""))
