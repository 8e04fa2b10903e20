"""What a backup is going to do, as a value that can be printed, compared and carried out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounty_ops.journal import layout, new_id

if TYPE_CHECKING:
    from datetime import datetime

    from bounty_ops.environments import Environment
    from bounty_ops.object_store import ObjectStore


@dataclass(frozen=True)
class BackupPlan:
    """One backup of one database; nothing has been touched yet."""

    id: str
    environment: str
    address: str
    """Of the database, as host:port/database."""
    bucket: str
    key: str
    """Of the archive, relative to the bucket's prefix."""
    compression: str
    """As the policy wants it; the program may not be able to."""
    lock_timeout_seconds: float
    lock_attempts: int
    taken_by: str
    planned_at: datetime

    @property
    def digest(self) -> str:
        """SHA-256 over everything that the plan says."""
        content = json.dumps(dataclasses.asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()

    def __str__(self) -> str:
        return (
            f"back up {self.environment} ({self.address})\n"
            f"  to       {self.bucket}, {self.key}\n"
            f"  archive  pg_dump custom format, {self.compression}\n"
            f"  locks    ACCESS SHARE on every table, {self.lock_attempts} attempts of "
            f"{self.lock_timeout_seconds:g} s\n"
            f"  by       {self.taken_by}"
        )


def plan_backup(
    environment: Environment, store: ObjectStore, *, now: datetime, taken_by: str
) -> BackupPlan:
    """Plan a backup; connects to nothing.

    Args:
        environment: whose database, under which policy.
        store: where the backup goes.
        now: the time, which becomes part of the id.
        taken_by: who or what asks for it, for people.

    Raises:
        ConfigurationError: the environment is unconfigured.
    """
    url, policy = environment.require_url(), environment.policy
    backup_id = new_id(now)
    return BackupPlan(
        id=backup_id,
        environment=environment.name,
        address=url.address(),
        bucket=store.location.uri(),
        key=layout.archive_key(environment.name, backup_id),
        compression=policy.compression,
        lock_timeout_seconds=policy.lock_timeout_seconds,
        lock_attempts=policy.lock_attempts,
        taken_by=taken_by,
        planned_at=now,
    )
