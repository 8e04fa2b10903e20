"""Texts that samples refer to, each stored once and known by its digest."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, or_, select, true
from sqlalchemy.dialects.postgresql import insert

from bounty_ops.schema.ops import SampleText

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import Connection, Engine
    from sqlalchemy.sql.dml import ReturningInsert

_DIGEST_BYTES: Final = 16
#: How stale `used_on` may be; a row that is not updated needs no space for its next version.
TOUCHED_EVERY: Final = timedelta(days=3)


def digest_of(text: str) -> bytes:
    """What a text is known by; PostgreSQL computes the same with `sha256()`."""
    return hashlib.sha256(text.encode()).digest()[:_DIGEST_BYTES]


def store_texts(
    engine: Engine, texts: Iterable[str], day: date, *, lasting: bool = False
) -> dict[str, int]:
    """The number of each text; those that were not there yet are added, in their own transaction.

    A text that is used again after some days is marked with the day, so that `maintain` does not
    take it away between this and the rows that will refer to it. All writers go by the order of
    digests, so that none waits for one that waits for it.
    """
    by_digest = {digest_of(text): text for text in texts}
    if not by_digest:
        return {}
    with engine.begin() as connection:
        known = _known(connection, by_digest, day, lasting=lasting)
        missing = sorted(digest for digest, text in by_digest.items() if text not in known)
        if missing:
            rows = [
                {"used_on": day, "lasting": lasting, "digest": digest, "body": by_digest[digest]}
                for digest in missing
            ]
            for digest, number in connection.execute(_UPSERT, rows):
                known[by_digest[bytes(digest)]] = number
    return known


def _known(
    connection: Connection, by_digest: dict[bytes, str], day: date, *, lasting: bool
) -> dict[str, int]:
    """Those that are there and will stay."""
    found = connection.execute(
        select(SampleText.digest, SampleText.id).where(
            SampleText.digest.in_(list(by_digest)),
            SampleText.used_on >= day - TOUCHED_EVERY,
            SampleText.lasting if lasting else true(),
        )
    )
    return {by_digest[bytes(digest)]: number for digest, number in found}


def read_texts(connection: Connection, numbers: Iterable[int]) -> dict[int, str]:
    """The texts with these numbers."""
    wanted = sorted(set(numbers))
    if not wanted:
        return {}
    rows = connection.execute(
        select(SampleText.id, SampleText.body).where(SampleText.id.in_(wanted))
    )
    return {row.id: row.body for row in rows}


def _upsert() -> ReturningInsert[bytes, int]:
    statement = insert(SampleText)
    return statement.on_conflict_do_update(
        index_elements=[SampleText.digest],
        set_={
            "used_on": func.greatest(SampleText.used_on, statement.excluded.used_on),
            "lasting": or_(SampleText.lasting, statement.excluded.lasting),
        },
    ).returning(SampleText.digest, SampleText.id)


_UPSERT: Final = _upsert()
