"""A line of migrations of the test's own, and databases to rehearse it on."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.environments import Environment, Policy
from bounty_ops.migrating import plan_migration
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.rehearse import rehearse
from bounty_ops.migrating.rehearse.copying import Copy
from bounty_ops.migrating.rehearse.drill import Drill, Result
from bounty_ops.migrating.stepping import run_revision
from bounty_ops_tests.fix_backups import run

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest, Rehearsal
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.plan import MigrationPlan
    from bounty_ops_tests.fix_backups import Backups

_REVISION: Final = '''"""Step {number}."""

from alembic import op

revision = "bounty_{number:04d}"
down_revision = {previous!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {upgrade}
{downgrade}
'''
_DOWNGRADE: Final = """

def downgrade() -> None:
    {body}
"""


@dataclass(frozen=True)
class Step:
    """A revision: SQL to do and to undo (statements end with ``;;``), or lines of Python."""

    up: str = ""
    down: str | None = "SELECT 1"
    """None: the revision has no downgrade."""
    up_code: str = ""
    down_code: str = ""
    autocommit: bool = False

    def text(self, number: int) -> str:
        """The migration file."""
        upgrade = self.up_code or self._calls(self.up)
        downgrade = ""
        if self.down_code or self.down is not None:
            body = self.down_code or self._calls(self.down or "")
            downgrade = _DOWNGRADE.format(body=body)
        previous = f"bounty_{number - 1:04d}" if number > 1 else None
        return _REVISION.format(
            number=number, previous=previous, upgrade=upgrade, downgrade=downgrade
        )

    def _calls(self, sql: str) -> str:
        calls = [f"op.execute({part.strip()!r})" for part in sql.split(";;")]
        if self.autocommit:
            inside = "\n        ".join(calls)
            return f"with op.get_context().autocommit_block():\n        {inside}"
        return "\n    ".join(calls)


#: What every database here begins with: one large table and one small.
FIRST: Final = Step(
    "CREATE TABLE shelf (id int PRIMARY KEY, name text NOT NULL);;"
    "CREATE TABLE parcel (id int PRIMARY KEY, shelf_id int, amount int NOT NULL, note text,"
    " sent_at timestamp)",
    "DROP TABLE shelf, parcel",
)


def fill(live: DatabaseUrl, rows: int) -> None:
    """Give the tables rows."""
    run(
        live,
        "INSERT INTO shelf SELECT g, 'shelf ' || g FROM generate_series(1, 100) g",
        "INSERT INTO parcel SELECT g, 1 + g % 100, g, repeat(md5(g::text), 4), now()"
        f" FROM generate_series(1, {rows}) g",
        "VACUUM ANALYZE",
    )


def line_of(directory: Path, *steps: Step) -> Lineage:
    """A line that begins with `FIRST`."""
    location = directory / "line" / "bounty"
    versions = location / "versions"
    versions.mkdir(parents=True)
    shutil.copy(BOUNTY.directory() / "env.py", location)
    for number, step in enumerate((FIRST, *steps), start=1):
        file = versions / f"bounty_{number:04d}_step.py"
        file.write_text(step.text(number), encoding="utf-8")
    return replace(BOUNTY, location=location)


def begin(live: DatabaseUrl, directory: Path, rows: int) -> None:
    """Bring an empty database to the first revision, and fill it."""
    run_revision(live, line_of(directory).directory(), "bounty_0001")
    fill(live, rows)


def environment(live: DatabaseUrl, **policy: Any) -> Environment:  # noqa: ANN401 - of Policy
    return Environment("development", live, Policy.model_validate(policy))


def drill(live: DatabaseUrl, directory: Path, *steps: Step) -> Result:
    """Do to a database what is done to a restored copy; raises `Failed` and `Inconclusive`."""
    line = line_of(directory, *steps)
    here = environment(live)
    result = Result()
    Drill(Copy(live, "17"), plan_migration(here, line), here.policy, line, result).carry_out()
    return result


@dataclass(frozen=True)
class Stage:
    """A live database with a proved backup of it."""

    live: DatabaseUrl
    backups: Backups
    manifest: Manifest
    directory: Path
    policy: dict[str, Any] = field(default_factory=dict)

    def plan(self, *steps: Step) -> tuple[MigrationPlan, Lineage]:
        line = line_of(self.directory, *steps)
        return plan_migration(environment(self.live, **self.policy), line), line

    def rehearse(self, *steps: Step, **options: Any) -> Rehearsal:  # noqa: ANN401 - of rehearse
        plan, line = self.plan(*steps)
        return rehearse(
            environment(self.live, **self.policy),
            self.backups.journal,
            plan,
            operator="ada",
            work_dir=self.backups.work_dir,
            lineage=line,
            **options,
        )
