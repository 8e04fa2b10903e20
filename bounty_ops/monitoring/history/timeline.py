"""What one subject was at each collection of its family."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from bounty_ops.monitoring.history import packs
from bounty_ops.monitoring.history.chains import day_of
from bounty_ops.monitoring.history.texts import read_texts
from bounty_ops.schema.ops import Collection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from sqlalchemy import Connection

    from bounty_ops.monitoring.history.chains import Layouts
    from bounty_ops.monitoring.history.packs import State


class Taken(NamedTuple):
    """A collection, as far as timelines need it."""

    id: int
    taken_at: datetime


class Told(NamedTuple):
    """What a pack tells of one subject."""

    collection_id: int
    taken_at: datetime
    is_key: bool
    entry: bytes | None


def collections_by_family(
    connection: Connection, environment: str, begin: datetime, end: datetime
) -> dict[str, list[Taken]]:
    """The collections from `begin` to before `end` that had each family, by their ids."""
    rows = connection.execute(
        select(Collection.id, Collection.taken_at, Collection.families_id)
        .where(
            Collection.environment == environment,
            Collection.taken_at >= begin,
            Collection.taken_at < end,
        )
        .order_by(Collection.id)
    ).all()
    texts = read_texts(connection, {families for _, _, families in rows})
    names = {number: tuple(json.loads(text)) for number, text in texts.items()}
    found: dict[str, list[Taken]] = {}
    for number, taken_at, families in rows:
        for name in names[families]:
            found.setdefault(name, []).append(Taken(number, taken_at))
    return found


def states(
    told: Iterable[Told], taken: Iterable[Taken], layouts: Layouts
) -> Iterator[tuple[Taken, State | None]]:
    """What a subject was at each collection; None where it was not there.

    Both are in the order of ids. A state that goes on is the same object.
    """
    chains: dict[date, _Walk] = {}
    waiting = iter(told)
    pack = next(waiting, None)
    for each in taken:
        while pack is not None and pack.collection_id <= each.id:
            chains.setdefault(day_of(pack.taken_at), _Walk()).add(pack)
            pack = next(waiting, None)
        walk = chains.get(day_of(each.taken_at))
        yield each, None if walk is None else walk.state(layouts)


class _Walk:
    """One subject, along the chain of one day."""

    def __init__(self) -> None:
        self._key: bytes | None = None
        self._entry: bytes | None = None
        self._state: State | None = None

    def add(self, told: Told) -> None:
        entry = told.entry
        if told.is_key:
            self._key = entry
        elif entry is None:
            return
        if entry != self._entry or told.is_key:
            self._entry, self._state = entry, None

    def state(self, layouts: Layouts) -> State | None:
        entry = self._entry
        if entry is None or entry == packs.GONE:
            return None
        if self._state is None:
            if packs.is_whole(entry):
                self._state = layouts.read_whole(entry)
            else:
                self._state = layouts.read_changed(entry, layouts.read_whole(self._key or b""))
        return self._state
