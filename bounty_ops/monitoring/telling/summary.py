"""What findings come to, in one sentence: the first thing that people read of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.monitoring.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.monitoring.findings import Finding


def summary(findings: Sequence[Finding]) -> str:
    """Whether anybody has to do something; what could not be seen is never called healthy."""
    if not findings:
        return "nothing deserves attention"
    critical, warnings, unseen, told = (
        sum(one.severity is severity for one in findings) for severity in Severity
    )
    grave = [f"{critical} critical"] if critical else []
    if warnings:
        grave.append(_counted(warnings, "warning", "warnings"))
    parts = [", ".join(grave) or "nothing found that needs you"]
    if unseen:
        parts.append(_counted(unseen, "thing could not be seen", "things could not be seen"))
    if told:
        parts.append(f"{told} for information")
    return "; ".join(parts)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
