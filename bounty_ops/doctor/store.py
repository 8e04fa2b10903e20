"""Whether backups have somewhere to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.doctor.result import CheckResult, failed, ok
from bounty_ops.errors import BountyOpsError
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import Settings

_BUCKET = "bucket"


def examine_bucket(settings: Settings) -> Iterator[CheckResult]:
    """Whether the bucket is configured and answers to our credentials."""
    try:
        store_settings = settings.require_object_store()
        ObjectStore(store_settings).check()
    except BountyOpsError as error:
        yield failed("reachable", _BUCKET, error)
        return
    yield ok("reachable", _BUCKET, store_settings.location.uri())
