"""A database with a proved backup, and lines of migrations to rehearse on it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bounty_ops.environments import Environment, Policy
from bounty_ops.migrating import plan_migration
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.rehearse import rehearse

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest, Rehearsal
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.plan import MigrationPlan
    from bounty_ops_tests.fix_backups import Backups

_REVISION = '''"""Step {number}."""

from alembic import op

revision = "bounty_{number:04d}"
down_revision = "bounty_{previous:04d}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    {upgrade}
{downgrade}
'''
_DOWNGRADE = """

def downgrade() -> None:
    {body}
"""


@dataclass(frozen=True)
class Step:
    """A revision: SQL to do and to undo, or the lines of Python themselves."""

    up: str = ""
    down: str | None = "SELECT 1"
    """None: the revision has no downgrade."""
    up_code: str = ""
    down_code: str = ""
    autocommit: bool = False

    def text(self, number: int) -> str:
        """The migration file."""
        upgrade = self.up_code or self._block(self.up)
        downgrade = ""
        if self.down_code or self.down is not None:
            body = self.down_code or self._block(self.down or "")
            downgrade = _DOWNGRADE.format(body=body)
        return _REVISION.format(
            number=number, previous=number - 1, upgrade=upgrade, downgrade=downgrade
        )

    def _block(self, sql: str) -> str:
        calls = [f"op.execute({part.strip()!r})" for part in sql.split(";;")]
        if self.autocommit:
            inside = "\n        ".join(calls)
            return f"with op.get_context().autocommit_block():\n        {inside}"
        return "\n    ".join(calls)


def line_of(directory: Path, *steps: Step) -> Lineage:
    """Bounty's line with more revisions."""
    location = directory / "line" / "bounty"
    shutil.copytree(BOUNTY.directory(), location, ignore=shutil.ignore_patterns("__pycache__"))
    for number, step in enumerate(steps, start=2):
        file = location / "versions" / f"bounty_{number:04d}_step.py"
        file.write_text(step.text(number), encoding="utf-8")
    return replace(BOUNTY, location=location)


@dataclass(frozen=True)
class Stage:
    """A live database with a proved backup of it."""

    live: DatabaseUrl
    backups: Backups
    manifest: Manifest
    directory: Path
    policy: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> Environment:
        return Environment("development", self.live, Policy.model_validate(self.policy))

    def plan(self, *steps: Step) -> tuple[MigrationPlan, Lineage]:
        line = line_of(self.directory, *steps)
        return plan_migration(self.environment, line), line

    def rehearse(self, *steps: Step, **options: Any) -> Rehearsal:  # noqa: ANN401 - of rehearse
        plan, line = self.plan(*steps)
        return rehearse(
            self.environment,
            self.backups.journal,
            plan,
            operator="ada",
            work_dir=self.backups.work_dir,
            lineage=line,
            **options,
        )
