"""What the object store says about objects. Keys are relative to the prefix of the bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

#: GOVERNANCE can be lifted by whoever has the permission for that, COMPLIANCE by nobody.
LockMode = Literal["GOVERNANCE", "COMPLIANCE"]


@dataclass(frozen=True)
class StoredObject:
    """An object whose every byte passed through our hands."""

    key: str
    size_bytes: int
    sha256: str
    """Hexadecimal, of what was sent or received."""
    etag: str
    """The store's own mark of the content, without quotation marks."""


@dataclass(frozen=True)
class ListedObject:
    """An object as the store lists it."""

    key: str
    size_bytes: int
    last_modified: datetime


@dataclass(frozen=True)
class UnfinishedUpload:
    """A multipart upload that nobody completed or aborted: invisible, but it takes space."""

    key: str
    upload_id: str
    initiated_at: datetime


@dataclass(frozen=True)
class Retention:
    """Until when an object cannot be deleted or replaced."""

    mode: LockMode
    until: datetime
