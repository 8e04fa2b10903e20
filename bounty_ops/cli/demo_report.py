"""The report of a night that a person enjoys, and the document of the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bounty_ops.cli.console import size, span, state, table

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.cli.demo_night import Night, Step

_TITLES = {
    "start": "start the local stack",
    "load": "load the definitions",
    "migrate": "migrate the database",
    "seed": "fill it with data",
    "nightly": "nightly: back up, verify",
    "collect": "collect: measure",
}
_WIDTH = 26


def draw_step(console: Console, step: Step) -> None:
    """One line for a step that is over."""
    line = Text("  ")
    line.append("✓ ", style="green")
    line.append(f"{_TITLES.get(step.name, step.name):<{_WIDTH}}")
    line.append(f"{span(step.seconds):>8}", style="bold")
    line.append(f"   {step.detail}", style="dim")
    console.print(line)


def night_document(night: Night, seconds: float) -> dict[str, object]:
    """A night for machines."""
    manifest, proof = night.manifest, night.proof
    return {
        "environment": night.environment,
        "seconds": seconds,
        "steps": [
            {
                "name": step.name,
                "seconds": step.seconds,
                "detail": step.detail,
                "run_id": step.run_id,
            }
            for step in night.steps
        ],
        "backup": {
            "id": manifest.id,
            "taken_at": manifest.taken_at,
            "size_bytes": manifest.size_bytes,
            "sha256": manifest.archive.sha256,
            "seconds": manifest.seconds,
            "bytes_per_second": _speed(night),
            "tables": len(manifest.tables),
            "rows": manifest.rows,
        },
        "proof": {
            "id": proof.id,
            "verdict": proof.verdict,
            "seconds": proof.seconds,
            "tables_compared": proof.tables_compared,
            "rows_compared": proof.rows_compared,
            "differences": len(proof.differences),
        },
    }


def draw_night(console: Console, night: Night, seconds: float) -> None:
    """What came of the night, and where to go from here."""
    manifest, proof = night.manifest, night.proof
    speed = _speed(night)
    verdict = state(proof.verdict)
    verdict.append(
        f": {proof.tables_compared} tables with {proof.rows_compared:,} rows restored, "
        f"all equal ({span(proof.seconds)})",
        style="default",
    )
    backup = (
        f"{size(manifest.size_bytes)} of {manifest.rows:,} rows in "
        f"{span(manifest.seconds)}" + (f", {size(speed)}/s" if speed else "")
    )
    facts = table(
        ("", ""),
        [
            ("  backup", manifest.id),
            ("  size", backup),
            ("  sha256", manifest.archive.sha256),
            ("  verdict", verdict),
            ("  the whole night", span(seconds)),
        ],
    )
    facts.show_header = False
    console.print()
    console.print(facts)
    console.print(
        "\nSee all of it in the Dagster UI:  make up\n\n"
        "Three commands to try next:\n"
        "  .venv/bin/bounty-ops backup list           every backup and its verdict\n"
        f"  .venv/bin/bounty-ops backup verify {manifest.id}\n"
        "  .venv/bin/bounty-ops monitor report        what deserves attention, and why"
    )


def _speed(night: Night) -> float | None:
    manifest = night.manifest
    return manifest.size_bytes / manifest.seconds if manifest.seconds else None
