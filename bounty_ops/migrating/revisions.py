"""The migration files of one line, from the first to the newest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util.exc import CommandError

from bounty_ops.migrating.errors import BrokenRevisionsError, UnknownRevisionError

if TYPE_CHECKING:
    from alembic.script import Script

    from bounty_ops.migrating.lineage import Lineage


@dataclass(frozen=True)
class Revision:
    """One migration file."""

    id: str
    previous: str | None
    message: str
    sha256: str
    """Of the file and of those that carry its name with another suffix, such as its SQL."""


@dataclass(frozen=True)
class Revisions:
    """A line of migration files: each follows the one before it."""

    directory: Path
    order: tuple[Revision, ...]

    @property
    def head(self) -> str:
        """The newest revision."""
        return self.order[-1].id

    def after(self, current: str | None) -> tuple[Revision, ...]:
        """Return what a database at ``current`` has not had yet.

        Raises UnknownRevisionError when there is no such revision.
        """
        if current is None:
            return self.order
        ids = [revision.id for revision in self.order]
        if current not in ids:
            raise UnknownRevisionError(
                f"there is no revision {current}; the newest one here is {self.head}",
                hint="A newer version of bounty-ops has migrated this database: install that "
                "version, or a later one.",
            )
        return self.order[ids.index(current) + 1 :]


def read_revisions(directory: Path) -> Revisions:
    """Read the migration files below ``directory``.

    Raises BrokenRevisionsError when they do not form one line.
    """
    heads, newest_first = _read(directory)
    if not newest_first:
        raise BrokenRevisionsError(
            f"there are no migration files in {directory.name}",
            hint="Install bounty-ops again; something has removed them.",
        )
    files = len(list((directory / "versions").glob("*.py")))
    if files > len(newest_first):  # Alembic would take one of them and only warn
        raise BrokenRevisionsError(
            f"several migration files in {directory.name} have the same revision id",
            hint="Give the later one the next number, and its predecessor as down_revision.",
        )
    if len(heads) > 1:
        raise BrokenRevisionsError(
            f"the migration files in {directory.name} have several heads: {', '.join(heads)}",
            hint="Two branches each added a migration: let the later one follow the earlier "
            "one (its down_revision).",
        )
    return Revisions(directory, tuple(_revision(script) for script in reversed(newest_first)))


def _read(directory: Path) -> tuple[list[str], list[Script]]:
    try:
        scripts = ScriptDirectory(directory, version_locations=[directory / "versions"])
        return sorted(scripts.get_heads()), list(scripts.walk_revisions())
    except KeyError as error:
        raise BrokenRevisionsError(
            f"a migration file in {directory.name} follows {error.args[0]}, which is not there",
            hint="Bring the missing file back, or correct the down_revision.",
        ) from error
    except (RevisionError, CommandError) as error:
        raise BrokenRevisionsError(
            f"the migration files in {directory.name} do not fit together: {error}",
            hint="Every revision needs exactly one predecessor that exists.",
        ) from error


def revisions_of(lineage: Lineage) -> Revisions:
    """Read the migration files of one of our two lines."""
    return read_revisions(lineage.directory())


def _revision(script: Script) -> Revision:
    previous = script.down_revision
    if not (previous is None or isinstance(previous, str)):
        raise BrokenRevisionsError(
            f"revision {script.revision} merges several others",
            hint="Migrations here form one line: let each follow exactly one other.",
        )
    return Revision(
        id=script.revision,
        previous=previous,
        message=script.doc,
        sha256=sha256_of_file(Path(script.path)),
    )


def sha256_of_file(path: Path) -> str:
    """Return the hash of a migration file and of those that carry its name."""
    digest = hashlib.sha256()
    for file in sorted(path.parent.glob(f"{path.stem}.*")):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
