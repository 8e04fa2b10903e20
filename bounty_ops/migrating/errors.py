"""What can stand in a migration's way, below `MigrationError` of the project's tree.

::

    MigrationError
    ├── BrokenRevisionsError     the migration files do not form one line
    ├── UnknownRevisionError     the database is at a revision that this version does not have
    ├── UnmanagedDatabaseError   the tables are there, but no migration of ours made them
    ├── StalePlanError           the database is no longer what the plan was made for
    └── LockHeldError            another runner is at work
"""

from __future__ import annotations

from bounty_ops.errors import MigrationError


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
