"""Running the SQL that stands beside a revision file.

Stable: revision files import this for as long as there are databases that have not had them.

``bounty_0002_x.sql`` holds the upgrade of ``bounty_0002_x.py`` and ``bounty_0002_x.down.sql`` the
way back. Between two statements stands a line ``--> statement-breakpoint``, as in Drizzle's files.
All three count into the hash of the revision.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import op
from sqlalchemy import text

BREAKPOINT: Final = "--> statement-breakpoint"
#: What is said to a linter stays with the statement.
ACKNOWLEDGED: Final = "-- bounty-ops: acknowledge"


def upgrade_script(revision_file: str) -> None:
    """Run the statements of the SQL file beside a revision file, given as its ``__file__``."""
    _run(Path(revision_file).with_suffix(".sql"))


def downgrade_script(revision_file: str) -> None:
    """Run those of the ``.down.sql`` file."""
    _run(Path(revision_file).with_suffix(".down.sql"))


def _run(file: Path) -> None:
    for statement in statements_of(file.read_text(encoding="utf-8")):
        # A colon before a word would be a parameter to SQLAlchemy.
        op.execute(text(statement.replace(":", r"\:")))


def statements_of(script: str) -> list[str]:
    """The statements of a script, without the comments before them and the semicolon after."""
    found = []
    for part in script.split(BREAKPOINT):
        lines, kept = part.strip().splitlines(), []
        while lines and (lines[0].startswith("--") or not lines[0].strip()):
            if lines[0].startswith(ACKNOWLEDGED):
                kept.append(lines[0])
            del lines[0]
        statement = "\n".join(lines).rstrip().removesuffix(";")
        if statement:
            found.append("\n".join([*kept, statement]))
    return found
