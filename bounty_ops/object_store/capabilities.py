"""What a bucket can promise, as far as it could be found out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True)
class Capability:
    """One promise: kept, not kept, or not known."""

    works: bool | None
    """None: it could not be seen."""
    why: str
    """What was seen, in one line; never a secret."""


@dataclass(frozen=True)
class Capabilities:
    """The promises that backups rest on, and those that protect them."""

    writes: Capability
    """Our credentials may write."""
    conditional_put: Capability
    """A write of a small object (If-None-Match) never replaces one."""
    conditional_complete: Capability
    """Nor does the end of a multipart upload."""
    checksums: Capability
    """What arrives damaged (Content-MD5) is refused."""
    multipart: Capability
    """An object can be stored in parts, and is what its parts were."""
    range_reads: Capability
    """A download that broke off can be resumed, and only in the same object."""
    deletes: Capability
    """What retention lets go can be deleted."""
    lists_uploads: Capability
    """Unfinished uploads of dead machines can be found by their prefix."""
    object_lock: Capability
    """Objects can be locked against everybody for a time."""
    versioning: Capability
    """What was deleted or overwritten is kept as a version."""
    aborts_uploads: Capability
    """The bucket itself removes unfinished uploads after some days."""
    keeps_objects: Capability
    """No rule of the bucket deletes backups by their age."""

    def items(self) -> tuple[tuple[str, Capability], ...]:
        """Every promise with its name."""
        return tuple((one.name, getattr(self, one.name)) for one in dataclasses.fields(self))
