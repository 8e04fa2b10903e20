"""What one restore works with, and what it has learned on the way."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bounty_ops.restore.outcome import Restored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import Manifest
    from bounty_ops.postgres.programs import Programs
    from bounty_ops.restore.comparing import Comparison
    from bounty_ops.restore.outcome import Treatment, Watching
    from bounty_ops.restore.plan import RestorePlan
    from bounty_ops.restore.target import Target


@dataclass
class Work:
    """One restore under way."""

    plan: RestorePlan
    target: Target
    manifest: Manifest
    journal: Journal
    identities: Sequence[str] = field(repr=False)
    work_dir: Path
    watching: Watching
    treatment: Treatment | None
    programs: Programs
    run_id: str
    started: float
    notes: list[str]
    fetch_seconds: float = 0.0
    restore_seconds: float = 0.0
    compare_seconds: float = 0.0

    @property
    def about(self) -> dict[str, Any]:
        """What the manifest says about the source's database itself."""
        lines = self.manifest.inventory.get("about_database", ())
        return dict(json.loads(lines[0])) if lines else {}

    def outcome(
        self,
        comparison: Comparison | None,
        old_database: str | None,
        notes: Sequence[str] = (),
        *,
        done: bool = True,
    ) -> Restored:
        """What it did."""
        return Restored(
            backup_id=self.plan.backup_id,
            address=self.plan.address,
            database=self.plan.database,
            way=self.plan.way,
            done=done and (comparison is None or not comparison.grave),
            verdict=comparison.verdict if comparison else None,
            tables_compared=comparison.tables if comparison else 0,
            rows_compared=comparison.rows if comparison else 0,
            differences=comparison.differences if comparison else (),
            old_database=old_database,
            seconds=round(time.monotonic() - self.started, 3),
            fetch_seconds=round(self.fetch_seconds, 3),
            restore_seconds=round(self.restore_seconds, 3),
            compare_seconds=round(self.compare_seconds, 3),
            notes=(*self.notes, *notes),
        )
