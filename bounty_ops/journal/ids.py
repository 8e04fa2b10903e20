"""Names of backups, proofs and migration records: a UTC second, its fraction, 20 random bits.

The time makes keys sort by age in any bucket browser. Of the eight hexadecimal digits the first
three are the fraction of the second: a restore that fails and the one that mends it may begin in
the same second, and "the newest" must be the second of them. The random rest keeps records of the
same moment apart; every record is written with a conditional put besides, so that not even a clock
that was set back can replace one.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from bounty_ops.errors import UsageError

_ID = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}")
_TIME = "%Y%m%dT%H%M%SZ"


def new_id(now: datetime) -> str:
    """Return a new name such as ``20261122T020000Z-1a2b3c4d``.

    Names sort by their time, to a quarter of a millisecond.
    Raises ValueError when ``now`` has no time zone: a local time would sort wrongly.
    """
    if now.tzinfo is None:
        raise ValueError("new_id needs a time with a time zone")
    fraction = now.microsecond * 4096 // 1_000_000
    return f"{now.astimezone(UTC):{_TIME}}-{fraction:03x}{secrets.randbits(20):05x}"


def time_of_id(record_id: str) -> datetime | None:
    """Return the UTC second in a name, or None when the name is not one of ours."""
    match = _ID.fullmatch(record_id)
    if match is None:
        return None
    try:
        return datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)
    except ValueError:  # such as month 13
        return None


def require_id(record_id: str) -> str:
    """Return ``record_id`` if it could be one of ours or the beginning of one, else UsageError.

    What a person types becomes part of a key, so it must not hold a slash.
    """
    if re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}", record_id) is None:
        raise UsageError(
            f"{record_id!r} is not the id of a backup",
            hint="`bounty-ops backup list` shows the ids; they look like 20261122T020000Z-1a2b3c4d",
        )
    return record_id
