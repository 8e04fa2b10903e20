"""Texts that samples refer to, each stored once and known by its digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from bounty_ops.schema.ops import SampleText

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import Connection

_DIGEST_BYTES: Final = 16


def digest_of(text: str) -> bytes:
    """What a text is known by; PostgreSQL computes the same with `sha256()`."""
    return hashlib.sha256(text.encode()).digest()[:_DIGEST_BYTES]


def store_texts(connection: Connection, texts: Iterable[str], day: date) -> dict[str, int]:
    """The number of each text; those that were not there yet are added.

    A text that is used again is marked with the day, so that `maintain` does not take it away
    between this and the rows that will refer to it. The order of digests keeps two writers from
    waiting for each other.
    """
    by_digest = {digest_of(text): text for text in texts}
    known: dict[str, int] = {}
    if not by_digest:
        return known
    found = connection.execute(
        select(SampleText.digest, SampleText.id, SampleText.used_on).where(
            SampleText.digest.in_(list(by_digest))
        )
    )
    for digest, number, used_on in found:
        if used_on >= day:
            known[by_digest[bytes(digest)]] = number
    missing = sorted(digest for digest, text in by_digest.items() if text not in known)
    if not missing:
        return known
    statement = insert(SampleText)
    statement = statement.on_conflict_do_update(
        index_elements=[SampleText.digest],
        set_={"used_on": func.greatest(SampleText.used_on, statement.excluded.used_on)},
    )
    rows = [{"used_on": day, "digest": key, "body": by_digest[key]} for key in missing]
    returned = connection.execute(statement.returning(SampleText.digest, SampleText.id), rows)
    known.update({by_digest[bytes(digest)]: number for digest, number in returned})
    return known


def read_texts(connection: Connection, numbers: Iterable[int]) -> dict[int, str]:
    """The texts with these numbers."""
    wanted = sorted(set(numbers))
    if not wanted:
        return {}
    rows = connection.execute(
        select(SampleText.id, SampleText.body).where(SampleText.id.in_(wanted))
    )
    return {row.id: row.body for row in rows}
