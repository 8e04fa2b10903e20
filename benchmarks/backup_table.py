"""The table that `benchmarks.backup` prints."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from benchmarks.processor_time import CpuSeconds

MIB: Final = 1 << 20

HEAD: Final = (
    "| database | what | seconds | ratio | CPU | of which | peak memory | steps |\n"
    "|---|---|---|---|---|---|---|---|\n"
)
#: What was measured, in words, and beside what it is put.
_ROWS: Final = (
    ("pg_dump", "`pg_dump -Fc -Z zstd:1 > /dev/null`", "pg_dump"),
    ("fingerprints", "fingerprints alone", "pg_dump"),
    ("backup", "**our backup**, end to end", "pg_dump"),
    ("counted", 'our backup with `compare = "counts"`', "pg_dump"),
    ("aws", "`pg_dump -Fc \\| aws s3 cp -`", "backup"),
    ("aws zstd", "`pg_dump -Fc -Z zstd:1 \\| aws s3 cp -`", "backup"),
    ("pg_restore", "`pg_restore -j 2`, bare", "pg_restore"),
    ("verify", "**our verification**, end to end", "pg_restore"),
    ("linked pg_dump", "pg_dump over the slow link", "linked pg_dump"),
    ("linked backup", "**our backup** over the slow link", "linked pg_dump"),
)
_OURS: Final = frozenset({"backup", "counted", "verify", "linked backup"})


@dataclass(frozen=True)
class Measured:
    """One step, in a process of its own."""

    seconds: float
    cpu: CpuSeconds
    peak_bytes: int
    """Of the process alone."""
    detail: dict[str, Any]


def print_rows(title: str, turns: dict[str, list[Measured]]) -> None:
    """Print what was measured on one database, by medians."""
    seconds = {what: median(one.seconds for one in found) for what, found in turns.items()}
    for what, words, against in _ROWS:
        if what not in turns:
            continue
        found = turns[what]
        peak = max(one.peak_bytes for one in found) / MIB
        middle = sorted(found, key=lambda one: one.cpu.total)[len(found) // 2].cpu
        ratio = "" if what == against else f"{seconds[what] / seconds[against]:.2f} x {against}"
        steps = found[-1].detail
        told = ", ".join(
            f"{k} {steps[k]:.1f} s" for k in ("fetch", "restore", "compare") if k in steps
        )
        cells = (
            title,
            words,
            f"{seconds[what]:.2f} s",
            ratio,
            f"{middle.total:.2f} s",
            str(middle),
            f"{peak:.0f} MiB" if what in _OURS else "",
            told,
        )
        sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()
