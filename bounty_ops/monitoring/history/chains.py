"""Chains: a page's packs of one day (UTC), the key frames and what changed since.

A chain follows the ids of its collections, in the order in which they were committed, and not
their times: a clock that goes back breaks nothing. It lies in one partition, so what is dropped is
never needed by what is left.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import ARRAY, Integer, and_, cast, func, literal, select, true
from sqlalchemy.orm import aliased

from bounty_ops.monitoring.history import packs
from bounty_ops.monitoring.history.flatten import layout_of
from bounty_ops.monitoring.history.texts import read_texts
from bounty_ops.schema.ops import Sample

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from sqlalchemy import ColumnElement, Connection, Select

    from bounty_ops.monitoring.history.flatten import Layout
    from bounty_ops.monitoring.history.packs import State

ONE_DAY: Final = timedelta(days=1)
#: More packs than that since the last key frame, and there is another: reading stays cheap.
_LONGEST: Final = 60


@dataclass
class Chain:
    """A page at some moment: the key frame, and the last entry since of each subject that has one.

    Entries are by slot, packed as `packs` says.
    """

    key: dict[int, bytes] | None = None
    since: dict[int, bytes] = field(default_factory=dict)
    length: int = 0

    def add(self, body: bytes, *, is_key: bool) -> None:
        """Go on to the next pack."""
        entries = packs.unpack(body)
        if is_key:
            self.key, self.since, self.length = entries, {}, 0
        else:
            self.since.update(entries)
            self.length += 1

    def present(self) -> set[int]:
        """The slots of subjects that are there."""
        gone = {slot for slot, entry in self.since.items() if entry == packs.GONE}
        return (self.since.keys() | (self.key or {}).keys()) - gone

    def state(self, slot: int, layouts: Layouts) -> State:
        """What a subject that is there consists of."""
        key = (self.key or {}).get(slot)
        entry = self.since.get(slot, key) or b""
        if packs.is_whole(entry):
            return layouts.read_whole(entry)
        return layouts.read_changed(entry, layouts.read_whole(key or b""))

    def next_pack(
        self, wanted: dict[int, State], measured: Collection[int], layouts: Layouts
    ) -> tuple[bytes, bool] | None:
        """What has to be stored so that the page says what was measured, None: nothing.

        Args:
            wanted: the subjects that are there, by slot.
            measured: all slots that the collection decides about; others stay as they are.
            layouts: of all states here.

        Returns:
            a pack, and whether it is a key frame.
        """
        if self.key is None or self.length >= _LONGEST:
            states = {
                slot: self.state(slot, layouts) for slot in self.present().difference(measured)
            }
            states.update(wanted)
            if not states and self.key is None:
                return None
            return packs.pack({s: layouts.whole(state) for s, state in states.items()}), True
        entries = {}
        for slot in measured:
            entry = self._entry(slot, wanted.get(slot), layouts)
            if entry is not None:
                entries[slot] = entry
        return (packs.pack(entries), False) if entries else None

    def _entry(self, slot: int, state: State | None, layouts: Layouts) -> bytes | None:
        """The entry that tells of a change, None where there is none."""
        key = (self.key or {}).get(slot)
        last = self.since.get(slot)
        if state is None:
            return None if (last or key or packs.GONE) == packs.GONE else packs.GONE
        entry = layouts.whole(state)
        if last is None and entry == key:
            return None
        if key is not None and packs.texts_of(key) == (state.layout, state.texts):
            entry = layouts.changed(state, layouts.read_whole(key))
        return None if entry == last else entry


class Layouts:
    """The layouts of one database by their numbers."""

    def __init__(self, texts: dict[int, str] | None = None) -> None:
        self._layouts = {number: layout_of(text) for number, text in (texts or {}).items()}

    def __getitem__(self, number: int) -> Layout:
        return self._layouts[number]

    def load(self, connection: Connection, entries: Iterable[bytes]) -> None:
        """Make sure that all layouts of these entries are known."""
        numbers = {packs.texts_of(entry)[0] for entry in entries if packs.is_whole(entry)}
        missing = numbers - self._layouts.keys()
        for number, text in read_texts(connection, missing).items():
            self._layouts[number] = layout_of(text)

    def whole(self, state: State) -> bytes:
        """`packs.whole`."""
        return packs.whole(state, self._layouts[state.layout].kinds)

    def changed(self, state: State, key: State) -> bytes:
        """`packs.changed`."""
        return packs.changed(state, key, self._layouts[state.layout].kinds)

    def read_whole(self, entry: bytes) -> State:
        """`packs.read_whole`."""
        return packs.read_whole(entry, self._layouts[packs.texts_of(entry)[0]].kinds)

    def read_changed(self, entry: bytes, key: State) -> State:
        """`packs.read_changed`."""
        return packs.read_changed(entry, key, self._layouts[key.layout].kinds)


def load_chains(
    connection: Connection,
    pages: Collection[int],
    day: date,
    layouts: Layouts,
    upto: int | None = None,
) -> dict[int, Chain]:
    """The chains of pages as they are on a day, or were after the collection `upto`."""
    chains: dict[int, Chain] = defaultdict(Chain)
    for page, is_key, body in connection.execute(_packs_since_key(pages, day, upto)):
        chains[page].add(body, is_key=is_key)
    for chain in chains.values():
        layouts.load(connection, (chain.key or {}).values())
        layouts.load(connection, chain.since.values())
    return chains


def day_of(moment: datetime) -> date:
    """The day of a moment, in UTC."""
    return moment.astimezone(UTC).date()


def begin_of(day: date) -> datetime:
    """When a day begins, in UTC."""
    return datetime.combine(day, time(), UTC)


def on_day(day: date, of: type[Sample] = Sample) -> ColumnElement[bool]:
    """Which samples are of a day."""
    begin = begin_of(day)
    return and_(of.taken_at >= begin, of.taken_at < begin + ONE_DAY)


def _packs_since_key(
    pages: Collection[int], day: date, upto: int | None
) -> Select[int, bool, bytes]:
    numbers = cast(literal(sorted(pages), ARRAY(Integer)), ARRAY(Integer))
    wanted = select(func.unnest(numbers).label("id")).subquery("wanted")
    frame = aliased(Sample, name="frame")
    newest = (
        select(frame.collection_id)
        .where(frame.page_id == wanted.c.id, frame.is_key, on_day(day, frame))
        .where(true() if upto is None else frame.collection_id <= upto)
        .order_by(frame.collection_id.desc())
        .limit(1)
        .correlate(wanted)
        .lateral("newest")
    )
    of_chain = and_(
        Sample.page_id == wanted.c.id,
        Sample.collection_id >= newest.c.collection_id,
        true() if upto is None else Sample.collection_id <= upto,
        on_day(day),
    )
    return (
        select(Sample.page_id, Sample.is_key, Sample.body)
        .select_from(wanted)
        .join(newest, true())
        .join(Sample, of_chain)
        .order_by(Sample.page_id, Sample.collection_id)
    )
