"""Baseline: Bounty's 37 tables, as its Drizzle schema declares them.

The statements stand in the SQL file beside this one. They mirror somebody else's DDL, so they are
kept in the language in which they can be compared with it.
"""

import re
from pathlib import Path

from alembic import op

revision = "bounty_0001"
down_revision = None
branch_labels = None
depends_on = None

_DDL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


def upgrade() -> None:
    for statement in re.split(r";$", _DDL, flags=re.MULTILINE):
        if statement.strip():
            op.execute(statement.strip())


def downgrade() -> None:
    # Without CASCADE: what somebody else built upon these tables stops the downgrade.
    op.execute(f"DROP TABLE {_created('TABLE')}")
    op.execute(f"DROP TYPE {_created('TYPE')}")


def _created(kind: str) -> str:
    """Return the names of what the baseline created, as a list for one DROP statement."""
    return ", ".join(re.findall(rf'^CREATE {kind} ("?\w+"?)', _DDL, flags=re.MULTILINE))
