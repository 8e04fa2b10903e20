"""How large a btree would be if it were built anew, from what the planner knows about its columns.

PostgreSQL 13 and later store equal keys once (deduplication), which this does not know: a fresh
index may be smaller than estimated here, never larger by much. So the bloat is a lower bound.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.monitoring.collectors.columns import ColumnStatistics

# storage/itup.h, storage/itemid.h, storage/bufpage.h, access/nbtree.h
_HEADER: Final = 8
_NULLS: Final = 8
_POINTER: Final = 4
_ALIGNMENT: Final = 8
_PAGE_OVERHEAD: Final = 24 + 16
_FILLFACTOR: Final = 90


def entry_bytes(method: str, columns: Sequence[ColumnStatistics | None]) -> float | None:
    """The average size of an entry; None where it is no btree or a column is not known."""
    known = [column for column in columns if column is not None]
    if method != "btree" or len(known) < len(columns) or not known:
        return None
    width = sum(column.width * (1 - column.null_share) for column in known)
    nulls = _NULLS if any(column.null_share > 0 for column in known) else 0
    return _HEADER + nulls + ceil(width / _ALIGNMENT) * _ALIGNMENT + _POINTER


def bloat_bytes(
    size: int, rows: int | None, entry: float | None, fillfactor: int | None, block_size: int
) -> int | None:
    """What a fresh index of so many entries would take less than `size`."""
    if rows is None or entry is None:
        return None
    room = (block_size - _PAGE_OVERHEAD) * (fillfactor or _FILLFACTOR) / 100
    leaves = ceil(rows * entry / room)
    inner = ceil(leaves * entry / room)
    return max(0, size - (1 + leaves + inner) * block_size)
