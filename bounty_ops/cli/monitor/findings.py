"""What `monitor report` shows a person: what deserves attention, the worst first."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from bounty_ops.cli.console import shown, state
from bounty_ops.monitoring.telling import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bounty_ops.monitoring import Finding, Severity

_SHOWN_OF_A_KIND: Final = 3


def draw_findings(console: Console, environment: str, findings: Sequence[Finding]) -> None:
    """What they come to, then findings with their remedies; of many of a kind, the first."""
    console.print(f"{environment}: {summary(findings)}", style="bold")
    for (severity, _), grouped in groupby(findings, key=_kind):
        alike = list(grouped)
        for finding in alike[:_SHOWN_OF_A_KIND]:
            _draw(console, severity, finding)
        if len(alike) > _SHOWN_OF_A_KIND:
            more = len(alike) - _SHOWN_OF_A_KIND
            console.print(f"    ... and {more} more like that: --json shows all")


def _kind(finding: Finding) -> tuple[Severity, str]:
    return finding.severity, finding.kind


def _draw(console: Console, severity: Severity, finding: Finding) -> None:
    line = state(severity.value)
    line.append(f": {shown(finding.title)}", style="default")
    console.print(line)
    console.print(f"    why:  {shown(finding.evidence)}")
    console.print(f"    do:   {shown(finding.remedy)}")
