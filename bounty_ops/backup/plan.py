"""What a backup is going to do, as a value that can be printed, compared and carried out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.backup.encryption import require_recipients
from bounty_ops.journal import layout, new_id
from bounty_ops.journal.records import ObjectLock

if TYPE_CHECKING:
    from datetime import datetime

    from bounty_ops.environments import Environment, Policy
    from bounty_ops.journal.records import Compared, RetentionClass
    from bounty_ops.object_store import ObjectStore

GIB: Final = 1 << 30


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
    retention_class: RetentionClass = "manual"
    compare: Compared = "content"
    encrypt_to: tuple[str, ...] = ()
    """Public keys of age."""
    shard_above_bytes: float = float("inf")
    """The rows of a larger table get an object of their own."""
    shard_jobs: int = 1
    give_way_after_seconds: float = 60.0
    object_lock: ObjectLock | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over everything that the plan says."""
        content = json.dumps(dataclasses.asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()

    def __str__(self) -> str:
        return (
            f"back up {self.environment} ({self.address})\n"
            f"  to       {self.bucket}, {self.key}\n"
            f"  archive  pg_dump custom format, {self.compression}, {self._encrypted()}\n"
            f"  locks    ACCESS SHARE on every table, {self.lock_attempts} attempts of "
            f"{self.lock_timeout_seconds:g} s\n"
            f"  by       {self.taken_by}"
        )

    def _encrypted(self) -> str:
        if not self.encrypt_to:
            return "not encrypted by us"
        return f"encrypted to {len(self.encrypt_to)} public keys of age"


def plan_backup(
    environment: Environment,
    store: ObjectStore,
    *,
    now: datetime,
    taken_by: str,
    retention_class: RetentionClass = "manual",
) -> BackupPlan:
    """Plan a backup; connects to nothing.

    Args:
        environment: whose database, under which policy.
        store: where the backup goes.
        now: the time, which becomes part of the id.
        taken_by: who or what asks for it, for people.
        retention_class: whether a schedule or a person asks for it.

    Raises:
        ConfigurationError: the environment is unconfigured, or a public key is none.
    """
    url, policy = environment.require_url(), environment.policy
    require_recipients(policy.encrypt_to)
    backup_id = new_id(now)
    return BackupPlan(
        id=backup_id,
        environment=environment.name,
        address=url.address(),
        bucket=store.location.uri(),
        key=layout.archive_key(environment.name, backup_id, encrypted=bool(policy.encrypt_to)),
        compression=policy.compression,
        lock_timeout_seconds=policy.lock_timeout_seconds,
        lock_attempts=policy.lock_attempts,
        taken_by=taken_by,
        planned_at=now,
        retention_class=retention_class,
        compare=policy.compare,
        encrypt_to=policy.encrypt_to,
        shard_above_bytes=policy.shard_above_gib * GIB,
        shard_jobs=policy.shard_jobs,
        give_way_after_seconds=policy.give_way_after_seconds,
        object_lock=wanted_lock(policy, now),
    )


def wanted_lock(policy: Policy, now: datetime) -> ObjectLock | None:
    """Until when the store is to keep what is stored now."""
    until = now + timedelta(days=policy.object_lock_days)
    match policy.object_lock:
        case "governance":
            return ObjectLock(mode="GOVERNANCE", until=until)
        case "compliance":
            return ObjectLock(mode="COMPLIANCE", until=until)
        case "none":
            return None
