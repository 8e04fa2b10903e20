"""What time it is at the store: it refuses requests whose signature is older than 15 minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops.object_store.client import make_client
from bounty_ops.object_store.diagnose import translated

if TYPE_CHECKING:
    from bounty_ops.environments import ObjectStoreSettings

#: HTTP's Date has whole seconds.
_RESOLUTION: Final = timedelta(seconds=1)


class ClockDifference(NamedTuple):
    """How far the store's clock is ahead of this machine's."""

    ahead: timedelta
    within: timedelta
    """How exactly that is known."""


def clock_difference(settings: ObjectStoreSettings) -> ClockDifference | None:
    """Compare the clocks by the Date of an answer; None: it has none that can be read.

    Raises:
        ObjectStoreError: the store cannot be reached.
    """
    client = make_client(settings)
    before = datetime.now(UTC)
    with translated(settings, "read the store's clock"):
        answer = client.list_objects_v2(Bucket=settings.location.bucket, MaxKeys=1)
    after = datetime.now(UTC)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    try:
        there = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None
    middle = before + (after - before) / 2
    # A second that is cut off is half a second behind on average.
    return ClockDifference(there + _RESOLUTION / 2 - middle, (after - before) + _RESOLUTION)
