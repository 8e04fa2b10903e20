"""What the monitoring commands answer: numbers, and what deserves attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.cli.console import clock, shown, size, span, state, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bounty_ops.monitoring import CollectionResult, FamilyResult, Finding, Unknown

_SHOWN_ENTRIES: Final = 8


def draw_collection(console: Console, result: CollectionResult) -> None:
    """Each family: its headline numbers, and the first of each of its lists."""
    console.print(
        f"{result.environment} at {clock(result.taken_at)}, measured in {span(result.seconds)}"
    )
    for name, family in result.families.items():
        console.print()
        console.print(name.upper(), style="bold")
        _draw_family(console, family)
    draw_unknown(console, result.unknown)


def _draw_family(console: Console, family: FamilyResult) -> None:
    values = family.model_dump(mode="json")
    headline = [
        (f"  {_title(name)}", _cell(name, value))
        for name, value in values.items()
        if name not in family.lists
    ]
    drawn = table(("", ""), headline)
    drawn.show_header = False
    console.print(drawn)
    for name in family.lists:
        _draw_entries(console, name, values[name])


def _draw_entries(console: Console, name: str, entries: Sequence[dict[str, object]]) -> None:
    if not entries:
        return
    columns = list(entries[0])
    shown_rows = entries[:_SHOWN_ENTRIES]
    titles = [
        f">{_title(c)}" if isinstance(entries[0][c], int | float) else _title(c) for c in columns
    ]
    rows = [[_cell(column, entry[column]) for column in columns] for entry in shown_rows]
    console.print(f"  {_title(name)} ({len(entries)})")
    console.print(table(titles, rows))
    if len(entries) > len(shown_rows):
        console.print(f"  ... and {len(entries) - len(shown_rows)} more: --json shows all")


def _title(name: str) -> str:
    return name.removesuffix("_bytes").removesuffix("_seconds").replace("_", " ")


def _cell(name: str, value: object) -> str:
    if isinstance(value, list):
        return "; ".join(_cell(name, item) for item in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_cell(str(key), item)}" for key, item in value.items()) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(name, value)
    return shown(value)


def _number(name: str, value: float) -> str:
    if name.endswith("_bytes"):
        return size(value)
    if name.endswith("_seconds"):
        return span(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"


def draw_findings(console: Console, result: CollectionResult, findings: Sequence[Finding]) -> None:
    """Findings with their remedies, the worst first."""
    if not findings:
        console.print(f"{result.environment}: nothing deserves attention")
    for finding in findings:
        line = state(finding.severity.value)
        line.append(f": {shown(finding.title)}", style="default")
        console.print(line)
        console.print(f"    why:  {shown(finding.evidence)}")
        console.print(f"    do:   {shown(finding.remedy)}")
    draw_unknown(console, result.unknown)


def draw_unknown(console: Console, unknown: Sequence[Unknown]) -> None:
    """What could not be measured: neither zero nor healthy."""
    if not unknown:
        return
    console.print()
    console.print("NOT MEASURED", style="bold")
    for item in unknown:
        console.print(f"  {item.family}, {item.subject}: {shown(item.reason)}")
        console.print(f"    do:   {shown(item.remedy)}")
