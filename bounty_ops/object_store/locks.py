"""Object Lock, and deleting for good where a bucket keeps versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ObjectLocked, ObjectNotFound, ObjectStoreError
from bounty_ops.object_store.conditional import REFUSALS
from bounty_ops.object_store.diagnose import address, error_code, translated
from bounty_ops.object_store.heads import head
from bounty_ops.object_store.values import Retention

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3.client import S3Client

    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops.object_store.values import LockMode

#: What stores say of an object without a lock, or of a bucket that knows none.
_NO_LOCK: Final = REFUSALS | {
    "NoSuchObjectLockConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "InvalidRequest",
    "MethodNotAllowed",
}


class Locks:
    """The locks and versions of the objects in one bucket; keys are relative to its prefix."""

    def __init__(self, client: S3Client, settings: ObjectStoreSettings) -> None:
        self._client = client
        self._settings = settings
        self._bucket = settings.location.bucket

    def lock(self, key: str, mode: LockMode, until: datetime) -> None:
        """See `bounty_ops.object_store.ObjectStore.lock_object`."""
        if until.tzinfo is None:
            raise ValueError("a time without a time zone is no time")
        if until.microsecond:  # stores keep whole seconds, and it must not become shorter
            until = until.replace(microsecond=0) + timedelta(seconds=1)
        try:
            with translated(self._settings, f"lock {key}"):
                self._client.put_object_retention(
                    Bucket=self._bucket,
                    Key=self._full(key),
                    Retention={"Mode": mode, "RetainUntilDate": until},
                )
        except ObjectStoreError as error:
            if error_code(error) not in _NO_LOCK:
                raise
            raise self._cannot(key, "has no Object Lock") from error
        found = self.of(key)
        if found is None or found.mode != mode or found.until < until:
            raise self._cannot(key, "confirmed a lock that it does not keep")

    def of(self, key: str, version: str | None = None) -> Retention | None:
        """Return the lock of an object or of one of its versions, also one that has ended."""
        try:
            with translated(self._settings, f"look at the lock of {key}"):
                if version is None:
                    answer = self._client.get_object_retention(
                        Bucket=self._bucket, Key=self._full(key)
                    )
                else:
                    answer = self._client.get_object_retention(
                        Bucket=self._bucket, Key=self._full(key), VersionId=version
                    )
        except ObjectStoreError as error:
            if error_code(error) in _NO_LOCK:
                return None
            raise
        found = answer.get("Retention", {})
        if "Mode" not in found or "RetainUntilDate" not in found:
            return None
        return Retention(found["Mode"], found["RetainUntilDate"].astimezone(UTC))

    def delete_versions(self, key: str) -> None:
        """See `bounty_ops.object_store.ObjectStore.delete_versions`."""
        try:
            versions = list(self._versions(key))
        except ObjectStoreError as error:
            if error_code(error) not in REFUSALS:
                raise
            versions = []  # a store without versions
        if not versions and self._is_visible(key):
            with translated(self._settings, f"delete {key}"):
                self._client.delete_object(Bucket=self._bucket, Key=self._full(key))
        for version in versions:
            self._delete(key, version)

    def _is_visible(self, key: str) -> bool:
        """Whether it is there at all: deleting what is not would leave a delete marker."""
        return head(self._client, self._settings, key, doing=f"look at {key}") is not None

    def _versions(self, key: str) -> Iterator[str]:
        """Yield the versions, then the delete markers: without these, what is locked would show."""
        full = self._full(key)
        markers: list[str] = []
        with translated(self._settings, f"list the versions of {key}"):
            pages = self._client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self._bucket, Prefix=full):
                for one in page.get("Versions", []):
                    if one["Key"] == full:
                        yield one["VersionId"]
                markers += [
                    one["VersionId"] for one in page.get("DeleteMarkers", []) if one["Key"] == full
                ]
        yield from markers

    def _delete(self, key: str, version: str) -> None:
        try:
            with translated(self._settings, f"delete {key}"):
                self._client.delete_object(
                    Bucket=self._bucket, Key=self._full(key), VersionId=version
                )
        except ObjectNotFound:
            return
        except ObjectStoreError as error:
            locked = self._why_locked(key, version)
            if locked is None:
                raise
            raise locked from error

    def _why_locked(self, key: str, version: str) -> ObjectLocked | None:
        """Ask for the reason of a refusal, because "access denied" may mean the keys as well."""
        try:
            found = self.of(key, version)
            if found is not None and found.until > datetime.now(UTC):
                return ObjectLocked(
                    f"could not delete {key}: it is locked ({found.mode}) until "
                    f"{found.until:%Y-%m-%d %H:%M:%S} UTC",
                    hint="Wait until then; that is what the lock is for",
                    until=found.until,
                )
            if self._is_held(key, version):
                return ObjectLocked(
                    f"could not delete {key}: it is under a legal hold",
                    hint="Whoever placed the hold has to lift it first",
                )
        except ObjectStoreError:
            return None
        return None

    def _is_held(self, key: str, version: str) -> bool:
        try:
            with translated(self._settings, f"look at the legal hold of {key}"):
                answer = self._client.get_object_legal_hold(
                    Bucket=self._bucket, Key=self._full(key), VersionId=version
                )
        except ObjectStoreError as error:
            if error_code(error) in _NO_LOCK:
                return False
            raise
        return answer.get("LegalHold", {}).get("Status") == "ON"

    def _cannot(self, key: str, why: str) -> ObjectStoreError:
        return ObjectStoreError(
            f"could not lock {key}: {address(self._settings)} {why}",
            hint="Object Lock belongs to a bucket with versioning, at most providers from its "
            "creation on; use such a bucket, or do without the lock in bounty_ops.toml",
        )

    def _full(self, key: str) -> str:
        return self._settings.location.key(key)
