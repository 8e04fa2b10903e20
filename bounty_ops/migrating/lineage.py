"""The two lines of migrations: Bounty's own database and the operations database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import bounty_ops
from bounty_ops.errors import MigrationError
from bounty_ops.schema.bounty import Base
from bounty_ops.schema.ops import SCHEMA, OpsBase

if TYPE_CHECKING:
    from sqlalchemy import MetaData

VERSION_SCHEMA: Final = SCHEMA
"""Where the version table lives, in both databases: Drizzle's push drops it from ``public``."""

VERSION_TABLE: Final = "alembic_version"


@dataclass(frozen=True)
class Lineage:
    """One line of migrations.

    Revisions are called ``<name>_0001``, ``<name>_0002``: the two lines share no revision id, so
    a URL that points at the wrong one of our databases is found out instead of being believed.
    """

    name: str
    metadata: MetaData
    schema: str
    """The schema that all its tables are in."""

    location: Path | None = None
    """The folder with ``env.py`` and ``versions``; None: where the installation has it."""

    def directory(self) -> Path:
        """Return the folder with ``env.py`` and ``versions``: in the checkout or in the wheel.

        Raises MigrationError when the installation has lost it.
        """
        if self.location is not None:
            return self.location
        package = Path(bounty_ops.__file__).parent
        for candidate in (package / "_migrations", package.parent / "migrations"):
            if (candidate / self.name / "env.py").is_file():
                return candidate / self.name
        raise MigrationError(
            f"the migrations of the {self.name} database are missing from this installation",
            hint="Install bounty-ops again; a wheel carries them in bounty_ops/_migrations.",
        )

    def table_names(self) -> frozenset[str]:
        """Return the names of the tables that the models declare, without their schema."""
        return frozenset(table.name for table in self.metadata.tables.values())

    def owns(self, revision: str) -> bool:
        """Whether a revision id is of this line, known here or not."""
        return revision.startswith(f"{self.name}_")


BOUNTY: Final = Lineage("bounty", Base.metadata, "public")
OPS: Final = Lineage("ops", OpsBase.metadata, SCHEMA)
LINEAGES: Final = (BOUNTY, OPS)
