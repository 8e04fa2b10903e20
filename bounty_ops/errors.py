"""One tree for every error that this project raises on purpose.

::

    BountyOpsError                  exit code 3: it could not be carried out
    ├── UsageError                  exit code 2: what was asked for makes no sense
    │   └── ConfigurationError      a setting is missing or wrong
    ├── EmbeddedError               a local server could not be started, or is in the way
    ├── PostgresError               a database said no
    │   ├── ServerUnavailable       nobody answers, or no connection is left
    │   ├── AuthenticationFailed    wrong role, password, database or TLS mode
    │   ├── InsufficientPrivilege   the role may not do that
    │   ├── LockNotAvailable        somebody else holds a lock for too long
    │   ├── ProgramNotFound         no client program of a fitting version
    │   └── ProgramFailed           pg_dump, pg_restore ... ended badly
    ├── ObjectStoreError            the bucket said no
    │   ├── ObjectStoreUnavailable  nobody answers
    │   ├── ObjectNotFound          no such key
    │   ├── ObjectExists            a conditional put found the key taken
    │   └── ObjectLocked            it may not be deleted before a date
    ├── JournalError                a record in the bucket cannot be read or written
    ├── BackupError                 a backup could not be finished
    ├── RestoreError                a restore or a verification could not be carried out
    ├── MigrationError              a migration could not be planned or applied
    ├── SeedingError                sample data could not be written
    ├── MonitoringError             samples could not be taken or stored
    └── DeliveryError               an alert could not be delivered

Every error has two lines: what happened (``str(error)``) and what to do next (``error.hint``).
Neither may ever hold a secret: build them from host, port, role and database names only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime


class BountyOpsError(Exception):
    """What happened, in one line, with what to do next in ``hint``."""

    exit_code: ClassVar[int] = 3
    diagnosis: str | None = None
    """The cause that a database's error was traced back to, as in `docs/reference/errors.md`."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def diagnosis_of(error: BaseException | None) -> str | None:
    """The cause that a database's error was traced back to, also when it led to another error."""
    while error is not None:
        if isinstance(error, BountyOpsError) and error.diagnosis is not None:
            return error.diagnosis
        error = error.__cause__
    return None


class UsageError(BountyOpsError):
    """What was asked for makes no sense; nothing was done."""

    exit_code = 2


class ConfigurationError(UsageError):
    """A setting is missing or wrong; nothing was done."""


class EmbeddedError(BountyOpsError):
    """A local server could not be started, or something stands in its way."""


class PostgresError(BountyOpsError):
    """A database refused or broke off."""


class ServerUnavailable(PostgresError):  # noqa: N818 - reads as the state of the server
    """Nobody answers at that address, or the server has no connection left."""


class AuthenticationFailed(PostgresError):  # noqa: N818 - PostgreSQL's own words
    """The server answered and refused: role, password, database or TLS mode."""


class InsufficientPrivilege(PostgresError):  # noqa: N818 - PostgreSQL's own condition name
    """The role may not do that."""


class LockNotAvailable(PostgresError):  # noqa: N818 - PostgreSQL's own condition name
    """A lock was not granted within its timeout."""


class ProgramNotFound(PostgresError):  # noqa: N818 - states what is missing
    """There is no client or server program of a fitting major version."""


class ProgramFailed(PostgresError):  # noqa: N818 - states what happened
    """A PostgreSQL program ended with a non-zero status or was killed."""


class ObjectStoreError(BountyOpsError):
    """The object store refused or broke off."""


class ObjectStoreUnavailable(ObjectStoreError):  # noqa: N818 - reads as the state of the store
    """Nobody answers at the endpoint."""


class ObjectNotFound(ObjectStoreError):  # noqa: N818 - S3's own term
    """There is no object under that key."""


class ObjectExists(ObjectStoreError):  # noqa: N818 - states what a conditional put found
    """A conditional put found the key taken."""


class ObjectLocked(ObjectStoreError):  # noqa: N818 - S3's own term
    """An object may not be deleted before ``until``; None: before somebody lifts its legal hold."""

    def __init__(self, message: str, *, hint: str, until: datetime | None = None) -> None:
        super().__init__(message, hint=hint)
        self.until = until


class JournalError(BountyOpsError):
    """A durable record cannot be read or written."""


class BackupError(BountyOpsError):
    """A backup could not be finished; nothing of it is visible."""


class RestoreError(BountyOpsError):
    """A restore or its verification could not be carried out."""


class MigrationError(BountyOpsError):
    """A migration could not be planned or applied."""


class SeedingError(BountyOpsError):
    """Sample data could not be written."""


class MonitoringError(BountyOpsError):
    """Samples could not be taken or stored."""


class DeliveryError(BountyOpsError):
    """An alert could not be delivered.

    ``permanent``: the receiver refused, and would refuse the same again. ``retry_after``: the
    seconds that it asked to be left alone.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        permanent: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.permanent = permanent
        self.retry_after = retry_after
