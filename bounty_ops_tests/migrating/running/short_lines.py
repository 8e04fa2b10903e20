"""Lines of migrations that begin with nothing, so that a test of the runner is quick."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import psycopg

from bounty_ops.migrating import apply_migration, plan_migration
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops_tests.migrating.lines import environment

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import MigrationEvidence
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.running import Observer

_REVISION = '''"""Step {number}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {previous}
branch_labels = None
depends_on = None


def upgrade() -> None:
{up}


def downgrade() -> None:
{down}
'''
NOTHING = "pass"


@dataclass(frozen=True)
class Body:
    """What one revision does."""

    up: str
    down: str = NOTHING


def executes(*statements: str) -> str:
    """Return code that executes statements, in the revision's transaction."""
    return "\n".join(f"op.execute({statement!r})" for statement in statements)


def apart(*statements: str) -> str:
    """Return code that executes statements outside of a transaction."""
    inner = textwrap.indent(executes(*statements), "    ")
    return f"with op.get_context().autocommit_block():\n{inner}"


def short_line(directory: Path, *bodies: str | Body) -> Lineage:
    """Return a line with one revision for each body, from bounty_0001 on."""
    location = directory / "line"
    (location / "versions").mkdir(parents=True, exist_ok=True)
    for name in ("env.py", "script.py.mako"):
        shutil.copy(BOUNTY.directory() / name, location / name)
    for number, given in enumerate(bodies, start=1):
        body = given if isinstance(given, Body) else Body(given)
        revision, previous = f"bounty_{number:04d}", f"bounty_{number - 1:04d}"
        text = _REVISION.format(
            number=number,
            revision=revision,
            previous=repr(previous if number > 1 else None),
            up=textwrap.indent(body.up, "    "),
            down=textwrap.indent(body.down, "    "),
        )
        (location / "versions" / f"{revision}_step.py").write_text(text, encoding="utf-8")
    return replace(BOUNTY, location=location)


def connect(url: DatabaseUrl, *, autocommit: bool = True) -> psycopg.Connection[Any]:
    """Return a client's connection."""
    return psycopg.connect(**url.conninfo(), autocommit=autocommit)  # type: ignore[arg-type] # libpq's words


def move(
    url: DatabaseUrl, line: Lineage, observer: Observer | None = None, **policy: object
) -> MigrationEvidence:
    """Bring the database to the line's head."""
    here = environment(url, **policy)
    told: dict[str, Any] = {} if observer is None else {"observer": observer}
    return apply_migration(plan_migration(here, line), here, operator="test", lineage=line, **told)


def indexes(url: DatabaseUrl) -> dict[str, bool]:
    """Return the indexes of ``public`` and whether each is valid."""
    with connect(url) as connection:
        return dict(
            connection.execute(
                "SELECT indexrelid::regclass::text, indisvalid FROM pg_index x "
                "JOIN pg_class c ON c.oid = x.indexrelid "
                "WHERE c.relnamespace = 'public'::regnamespace"
            ).fetchall()
        )
