"""Storing a collection: what changed, and that it was looked at."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import delete, func, insert, select, text

from bounty_ops.monitoring.history.chains import Layouts, day_of, load_chains
from bounty_ops.monitoring.history.documents import Document, document_of, order_of
from bounty_ops.monitoring.history.flatten import Flat, flatten
from bounty_ops.monitoring.history.memory import remember
from bounty_ops.monitoring.history.packs import State
from bounty_ops.monitoring.history.partitions import WRITING_LOCK
from bounty_ops.monitoring.history.subjects import Place, Subject, place_all, touch_stale
from bounty_ops.monitoring.history.texts import store_texts
from bounty_ops.monitoring.result import SUMMARY
from bounty_ops.schema.ops import Collection, Sample, SampleRolledDay
from bounty_ops.schema.ops.samples import COLLECTION_IDS

if TYPE_CHECKING:
    from collections.abc import Collection as Some
    from collections.abc import Mapping
    from datetime import date

    import psycopg
    from sqlalchemy import Connection, Engine

    from bounty_ops.monitoring.result import CollectionResult

#: The first of the two keys of an advisory lock; the second is a hash of the environment's name.
LOCK_CLASS: Final = 0x62_6F_68_69
#: Rolling up a day of 10,000 tables takes a while.
_LOCK_TIMEOUT: Final = "120s"
#: A page, whether it is a key frame, and its bytes.
_Pack = tuple[int, bool, bytes]


def store_collection(engine: Engine, result: CollectionResult) -> int:
    """Store one collection, all or nothing; returns its id.

    Two at once for one environment wait for each other.
    """
    documents = {name: document_of(family) for name, family in result.families.items()}
    flats = {
        subject: flatten(measures)
        for name, document in documents.items()
        for subject, measures in _subjects(name, document)
    }
    families = json.dumps({name: _orders(document) for name, document in documents.items()})
    unknown = json.dumps([vars(each) for each in result.unknown])
    day = day_of(result.taken_at)
    texts = _store_texts(engine, flats, {families, unknown}, max(day, day_of(datetime.now(UTC))))
    with engine.begin() as connection:
        lock_environment(connection, result.environment)
        identity: int = connection.execute(select(COLLECTION_IDS.next_value())).scalar_one()
        known = place_all(connection, result.environment, flats.keys(), day)
        states = {
            subject: State(texts[flat.layout], texts[flat.texts], flat.numbers)
            for subject, flat in flats.items()
        }
        layouts = Layouts({texts[flat.layout]: flat.layout for flat in flats.values()})
        packs = _packs(connection, known, states, layouts, day)
        _copy(connection, packs, identity, result.taken_at)
        # What came late is rolled up too.
        connection.execute(delete(SampleRolledDay).where(SampleRolledDay.day == day))
        touch_stale(connection, [known[subject].subject_id for subject in flats], day)
        connection.execute(
            insert(Collection).values(
                taken_at=result.taken_at,
                id=identity,
                seconds=result.seconds,
                families_id=texts[families],
                unknown_id=texts[unknown],
                environment=result.environment,
            )
        )
        remember(connection, result)
    return identity


def lock_environment(connection: Connection, environment: str) -> None:
    """Be the only one who writes samples of an environment, until the transaction ends."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
    connection.execute(select(func.pg_advisory_xact_lock_shared(WRITING_LOCK)))
    connection.execute(select(func.pg_advisory_xact_lock(LOCK_CLASS, func.hashtext(environment))))


def _subjects(family: str, document: Document) -> list[tuple[Subject, dict[str, Any]]]:
    found = [(Subject(family, "", SUMMARY), document.headline)]
    for name, entries in document.lists.items():
        found += [(Subject(family, name, entry), measures) for entry, measures in entries]
    return found


def _orders(document: Document) -> dict[str, Any]:
    return {name: order_of(entries) for name, entries in document.lists.items()}


def _store_texts(
    engine: Engine, flats: Mapping[Subject, Flat], others: set[str], day: date
) -> dict[str, int]:
    wanted = {flat.layout for flat in flats.values()} | {flat.texts for flat in flats.values()}
    return store_texts(engine, wanted | others, day)


def _packs(
    connection: Connection,
    known: Mapping[Subject, Place],
    states: Mapping[Subject, State],
    layouts: Layouts,
    day: date,
) -> list[_Pack]:
    measured: dict[int, list[int]] = defaultdict(list)
    wanted: dict[int, dict[int, State]] = defaultdict(dict)
    for subject, place in known.items():
        measured[place.page_id].append(place.slot)
        if subject in states:
            wanted[place.page_id][place.slot] = states[subject]
    chains = load_chains(connection, measured, day, layouts)
    packs: list[_Pack] = []
    for page, slots in measured.items():
        found = chains[page].next_pack(wanted[page], slots, layouts)
        if found is not None:
            packs.append((page, found[1], found[0]))
    return packs


def _copy(connection: Connection, packs: Some[_Pack], collection: int, taken_at: datetime) -> None:
    columns = "page_id, collection_id, taken_at, is_key, body"
    statement = f"COPY {Sample.__table__} ({columns}) FROM STDIN"
    raw = cast("psycopg.Connection[Any]", connection.connection.dbapi_connection)
    with raw.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for page, is_key, body in packs:
            copy.write_row((page, collection, taken_at, is_key, body))
