"""What a collection remembers of pg_stat_statements, so that the next can tell what happened since.

All entries, by their numbers, and the texts (without literals) of those that were listed, so that
the server need not read its file of texts again. A memory of another database, of another version
of this program, or one that is damaged is no memory: then nothing is known of the time before.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bounty_ops.monitoring.going_on import Counted
from bounty_ops.monitoring.looks import Key, Look, Whole

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Changes with the layout, and with how literals are stripped: texts of before are read anew.
_VERSION: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
#: Most texts that are remembered; the others are read again when they are listed again.
MOST_TEXTS: Final = 500


class StatementText(NamedTuple):
    """A statement without literals, and what it is known again by."""

    text: str
    fingerprint: str


@dataclass(frozen=True)
class StatementMemory:
    """The last look, and where it was."""

    origin: str
    """The server's system identifier and the database's number."""
    look: Look
    texts: Mapping[int, StatementText] = field(default_factory=dict)
    """By PostgreSQL's id of the query."""


def encode(memory: StatementMemory) -> bytes:
    """The memory as bytes."""
    look = memory.look
    document = {
        "version": _VERSION,
        "origin": memory.origin,
        "at": _moment(look.at),
        "reset_at": _moment(look.reset_at),
        "evictions": look.evictions,
        "evictions_after": look.evictions_after,
        "room": look.room,
        "all_entries": look.all_entries,
        "hidden_calls": look.hidden_calls,
        "transactions": look.transactions,
        "transactions_since": [_moment(moment) for moment in look.transactions_since],
        "recent_seconds": look.recent_seconds,
        "recent_evictions": look.recent_evictions,
        "whole": look.whole,
        "entries": [
            [*key, *counted[:-1], _moment(counted.since), look.recent_calls.get(key, 0)]
            for key, counted in look.entries.items()
        ],
        "texts": {str(query_id): text for query_id, text in memory.texts.items()},
    }
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 6)


def decode(body: bytes | None, origin: str) -> StatementMemory | None:
    """The memory again; None where it is not of this origin or cannot be read."""
    if body is None:
        return None
    try:
        document = json.loads(zlib.decompress(body))
        if document["version"] != _VERSION or document["origin"] != origin:
            return None
        return _memory(document)
    except (zlib.error, ValueError, KeyError, TypeError):
        return None


def _memory(document: dict[str, Any]) -> StatementMemory:
    entries: dict[Key, Counted] = {}
    recent: dict[Key, int] = {}
    for row in document["entries"]:
        user_id, query_id, toplevel, calls, seconds, rows, least, most, squares, since, lately = row
        key = Key(user_id, query_id, toplevel)
        entries[key] = Counted(calls, seconds, rows, least, most, squares, _time(since))
        if lately:
            recent[key] = lately
    at = _time(document["at"])
    if at is None:
        raise ValueError(_VERSION)
    look = Look(
        at=at,
        entries=entries,
        reset_at=_time(document["reset_at"]),
        evictions=document["evictions"],
        evictions_after=document["evictions_after"],
        room=document["room"],
        all_entries=document["all_entries"],
        hidden_calls=document["hidden_calls"],
        recent_calls=recent,
        transactions=document["transactions"],
        transactions_since=tuple(map(_time, document["transactions_since"])),
        recent_seconds=document["recent_seconds"],
        recent_evictions=document["recent_evictions"],
        whole=tuple(Whole(*each) for each in document["whole"]),
    )
    texts = {int(query_id): StatementText(*text) for query_id, text in document["texts"].items()}
    return StatementMemory(document["origin"], look, texts)


def _moment(time: datetime | None) -> int | None:
    """Microseconds since 1970, which is as exactly as PostgreSQL tells the time."""
    return None if time is None else (time - _EPOCH) // _MICROSECOND


def _time(moment: int | None) -> datetime | None:
    return None if moment is None else _EPOCH + moment * _MICROSECOND
