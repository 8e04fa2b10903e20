"""What can stand in a migration's way, below `MigrationError` of the project's tree.

::

    MigrationError
    ├── BrokenRevisionsError     the migration files do not form one line
    ├── UnknownRevisionError     the database is at a revision that this version does not have
    ├── UnmanagedDatabaseError   the tables are there, but no migration of ours made them
    ├── StalePlanError           the database is no longer what the plan was made for
    ├── EditedRevisionError      a migration file was changed after it was applied
    ├── UnrepeatableError        a revision could not be tried again after a crash
    ├── GateRefusedError         what the policy asks for before a migration is not there
    └── LockHeldError            another runner is at work
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.errors import MigrationError

if TYPE_CHECKING:
    from bounty_ops.migrating.gate.values import Gate


class BrokenRevisionsError(MigrationError):
    """The migration files do not form one line with one head."""


class UnknownRevisionError(MigrationError):
    """The database is at a revision that the migration files do not have."""


class UnmanagedDatabaseError(MigrationError):
    """The tables exist already, made by something else than these migrations."""


class StalePlanError(MigrationError):
    """The database or the migration files have changed since the plan was made."""


class LockHeldError(MigrationError):
    """Another runner holds the migration lock of this database."""


class EditedRevisionError(MigrationError):
    """A migration file is no longer what it was when it was applied."""


class UnrepeatableError(MigrationError):
    """A revision could not be tried again after a crash in the middle of it."""


class GateRefusedError(MigrationError):
    """A gate of a protected environment refuses; `gates` has the answers of all of them."""

    def __init__(self, message: str, *, hint: str, gates: tuple[Gate, ...]) -> None:
        super().__init__(message, hint=hint)
        self.gates = gates
