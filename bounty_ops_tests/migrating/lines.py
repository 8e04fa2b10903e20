"""Bounty's line of migrations with more revisions behind it, written for one test."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from bounty_ops.environments import Environment, Policy
from bounty_ops.migrating import apply_migration, plan_migration
from bounty_ops.migrating.lineage import BOUNTY

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import MigrationEvidence
    from bounty_ops.migrating.lineage import Lineage

_REVISION = '''"""{message}."""

from alembic import op

revision = "{revision}"
down_revision = "{previous}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""{statement}""")


def downgrade() -> None:
    op.execute("SELECT 1")
'''


def longer_line(tmp_path: Path, *statements: str) -> Lineage:
    """Return Bounty's line with one more revision for each statement."""
    location = tmp_path / "bounty"
    shutil.copytree(BOUNTY.directory(), location, ignore=shutil.ignore_patterns("__pycache__"))
    for number, statement in enumerate(statements, start=2):
        write_revision(location, f"bounty_{number:04d}", f"bounty_{number - 1:04d}", statement)
    return replace(BOUNTY, location=location)


def write_revision(location: Path, revision: str, previous: str, statement: str) -> None:
    """Write one migration file that executes ``statement``."""
    text = _REVISION.format(
        message=f"Step {revision}", revision=revision, previous=previous, statement=statement
    )
    (location / "versions" / f"{revision}_step.py").write_text(text, encoding="utf-8")


def environment(url: DatabaseUrl | None, **policy: object) -> Environment:
    """Return an environment that gives up on locks quickly."""
    impatient: dict[str, object] = {"lock_timeout_seconds": 0.2, "lock_attempts": 1}
    return Environment("development", url, Policy.model_validate(impatient | policy))


def migrate(url: DatabaseUrl, lineage: Lineage = BOUNTY) -> MigrationEvidence:
    """Bring the database to the line's head."""
    chosen = environment(url)
    plan = plan_migration(chosen, lineage)
    return apply_migration(plan, chosen, operator="test", lineage=lineage)
