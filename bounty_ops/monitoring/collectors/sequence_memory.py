"""What sequences are, which is read anew only after the catalogs have changed.

Sequences are looked at every minute, and what they are (limits, columns, privileges) changes with a
migration: reading it takes several times what reading their values takes. It is kept in the
collection's memory together with how often the catalogs had been changed then.
"""

from __future__ import annotations

import json
import zlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops.monitoring.collectors.sequence_columns import Column, read_columns
from bounty_ops.monitoring.collectors.sequence_reading import Listed, list_sequences
from bounty_ops.monitoring.collectors.sizes import locked_relations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bounty_ops.monitoring.probe import Probe

#: Changes with the layout.
_VERSION: Final = 1
#: After so long it is read anew, whatever the catalogs say.
_ANEW: Final = timedelta(hours=24)


class Described(NamedTuple):
    """All sequences, and the columns that they feed."""

    listed: Sequence[Listed]
    columns: Mapping[int, Sequence[Column]]
    """By the sequence's number."""
    nameless: Sequence[Column]
    """Those that take values of a sequence which cannot be told."""


def describe(probe: Probe, family: str) -> tuple[Described, bytes | None]:
    """What the sequences are; and what is to be remembered, if that is anything new.

    Raises:
        psycopg.Error: a statement failed.
    """
    # The catalogs' state comes first: a change after it is seen the next time.
    ((state, at),) = probe.rows("sequences_state")
    known = None if state is None else _decode(probe.memory.get(family), state, at)
    if known is not None:
        return known._replace(listed=_with_locks(probe, known.listed)), None
    listed = list_sequences(probe)
    described = Described(listed, *read_columns(probe, listed))
    # Who may not read all of them is about to be granted that, perhaps to a role of his.
    lasting = state is not None and all(one.access == "relation" for one in listed)
    return described, _encode(described, state, at) if lasting else None


def _with_locks(probe: Probe, listed: Sequence[Listed]) -> list[Listed]:
    locked = locked_relations(probe).relations
    return [one._replace(in_the_way="locked" if one.oid in locked else None) for one in listed]


def _encode(described: Described, state: str, at: datetime) -> bytes:
    document = {
        "version": _VERSION,
        "state": state,
        "at": at.isoformat(),
        "listed": described.listed,
        "columns": described.columns,
        "nameless": described.nameless,
    }
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 6)


def _decode(body: bytes | None, state: str, now: datetime) -> Described | None:
    """None where it is of another state, too old, or cannot be read."""
    if body is None:
        return None
    try:
        document = json.loads(zlib.decompress(body))
        at = datetime.fromisoformat(document["at"])
        if document["version"] != _VERSION or document["state"] != state or now - at > _ANEW:
            return None
        return Described(
            [Listed(*row) for row in document["listed"]],
            {int(oid): [Column(*row) for row in rows] for oid, rows in document["columns"].items()},
            [Column(*row) for row in document["nameless"]],
        )
    except (zlib.error, ValueError, KeyError, TypeError):
        return None
