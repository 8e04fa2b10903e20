"""Getting collections back, exactly as they were."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import ValidationError
from sqlalchemy import select

from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.history.chains import Layouts, day_of, load_chains
from bounty_ops.monitoring.history.documents import Document, arranged, family_of
from bounty_ops.monitoring.history.flatten import restore
from bounty_ops.monitoring.history.partitions import hold
from bounty_ops.monitoring.history.subjects import places
from bounty_ops.monitoring.history.texts import read_texts
from bounty_ops.monitoring.result import SUMMARY, CollectionResult, FamilyResult, Unknown
from bounty_ops.schema.ops import Collection

if TYPE_CHECKING:
    from collections.abc import Collection as Names
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from sqlalchemy import Connection, Engine

    from bounty_ops.monitoring.history.subjects import Place, Subject

#: How far a clock may be ahead before what it says counts as wrong.
_AHEAD: Final = timedelta(minutes=5)
#: What is measured every five minutes is among the newest of what is measured every minute.
_ROWS_FIRST: Final = 8
_ROWS_AT_ONCE: Final = 100


class _Row(NamedTuple):
    taken_at: datetime
    id: int
    seconds: float
    families_id: int
    unknown_id: int
    details: dict[str, Any] | None


def latest_collections(
    engine: Engine,
    environment: str,
    limit: int = 1,
    families: Names[str] | None = None,
    *,
    now: datetime | None = None,
) -> list[CollectionResult]:
    """The newest collections of an environment, newest first.

    With `families`: the newest that have any of these, and nothing else of them. One from the
    future, whose clock was wrong, is only given when there are no others: it would hide what is
    new.
    """
    with _reading(engine, environment) as reader:
        return list(islice(reader.results(families, now or datetime.now(UTC)), limit))


def collections_at(
    engine: Engine, environment: str, wanted: Iterable[tuple[Names[str], datetime]]
) -> list[CollectionResult]:
    """The newest collection, as of each moment, that has any of these families.

    What `latest_collections` gives for each, but read together, which takes a fraction of the
    time: what they have in common is read once. Errors are SQLAlchemy's.
    """
    with _reading(engine, environment) as reader:
        return [
            result
            for families, moment in wanted
            for result in islice(reader.results(families, moment), 1)
        ]


@contextmanager
def _reading(engine: Engine, environment: str) -> Iterator[_Reader]:
    with engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        hold(connection)
        yield _Reader(connection, environment)


class _Reader:
    """One transaction's reading; texts, places and whole results are read once."""

    def __init__(self, connection: Connection, environment: str) -> None:
        self._connection = connection
        self._environment = environment
        self._texts: dict[int, str] = {}
        self._layouts = Layouts()
        self._places: dict[tuple[str, date], Mapping[Subject, Place]] = {}
        self._results: dict[tuple[int, frozenset[str] | None], CollectionResult | None] = {}

    def results(self, families: Names[str] | None, now: datetime) -> Iterator[CollectionResult]:
        """Those that have any of the families, the newest first, but from the future last."""
        wanted = None if families is None else frozenset(families)
        for row in self._rows(now):
            key = row.id, wanted
            if key not in self._results:
                self._results[key] = self._result(row, wanted)
            if (result := self._results[key]) is not None:
                yield result

    def _rows(self, now: datetime) -> Iterator[_Row]:
        chosen = (
            select(
                Collection.taken_at,
                Collection.id,
                Collection.seconds,
                Collection.families_id,
                Collection.unknown_id,
                Collection.details,
            )
            .where(Collection.environment == self._environment)
            .order_by(Collection.taken_at.desc(), Collection.id.desc())
        )
        for when in (Collection.taken_at <= now + _AHEAD, Collection.taken_at > now + _AHEAD):
            start, size = 0, _ROWS_FIRST
            while True:
                portion = chosen.where(when).limit(size).offset(start)
                found = self._connection.execute(portion).all()
                yield from (_Row(*row) for row in found)
                if len(found) < size:
                    break
                start, size = start + size, _ROWS_AT_ONCE

    def _result(self, row: _Row, wanted: frozenset[str] | None) -> CollectionResult | None:
        """The collection, as far as it is wanted; None if nothing of it is."""
        self._read_texts({row.families_id, row.unknown_id})
        orders = json.loads(self._texts[row.families_id])
        whole = (row.details or {}).get("entries", {})
        names = [name for name in (*orders, *whole) if wanted is None or name in wanted]
        if wanted is not None and not names:
            return None
        documents = self._documents(row, {name: orders[name] for name in names if name in orders})
        missing = [Unknown(**each) for each in json.loads(self._texts[row.unknown_id])]
        families: dict[str, FamilyResult] = {}
        for name in names:
            if name not in documents and name not in whole:
                missing.append(_unknown(name, "its samples are no longer there"))
                continue
            try:
                kind = FAMILIES[name][0]
                if name in documents:
                    families[name] = family_of(kind, documents[name])
                else:
                    families[name] = kind.from_samples(dict(whole[name]))
            except (KeyError, ValidationError):
                # Not readable is not the same as empty.
                missing.append(
                    _unknown(name, "its samples were stored by another version of bounty-ops")
                )
        return CollectionResult(
            environment=self._environment,
            taken_at=row.taken_at.astimezone(UTC),
            seconds=row.seconds,
            families={name: families[name] for name in FAMILIES if name in families},
            unknown=tuple(each for each in missing if wanted is None or each.family in wanted),
        )

    def _documents(self, row: _Row, orders: Mapping[str, Mapping[str, Any]]) -> dict[str, Document]:
        day = day_of(row.taken_at)
        known = self._places_of(orders, day)
        chains = load_chains(
            self._connection,
            {place.page_id for place in known.values()},
            day,
            self._layouts,
            upto=row.id,
        )
        present = {page: chain.present() for page, chain in chains.items()}
        states = {
            subject: chains[place.page_id].state(place.slot, self._layouts)
            for subject, place in known.items()
            if place.slot in present.get(place.page_id, ())
        }
        self._read_texts({state.texts for state in states.values()})
        headlines: dict[str, dict[str, Any]] = {}
        entries: dict[tuple[str, str], dict[str, Any]] = {}
        for subject, state in states.items():
            measures = restore(self._layouts[state.layout], self._texts[state.texts], state.numbers)
            if subject.list:
                entries.setdefault((subject.family, subject.list), {})[subject.name] = measures
            elif subject.name == SUMMARY:
                headlines[subject.family] = measures
        return {
            family: Document(
                headlines[family],
                {
                    name: arranged(entries.get((family, name), {}), order)
                    for name, order in lists.items()
                },
            )
            for family, lists in orders.items()
            if family in headlines
        }

    def _places_of(self, families: Iterable[str], day: date) -> dict[Subject, Place]:
        missing = [name for name in families if (name, day) not in self._places]
        if missing:
            found = places(self._connection, self._environment, missing, day)
            for name in missing:
                self._places[name, day] = {
                    subject: place for subject, place in found.items() if subject.family == name
                }
        return {
            subject: place
            for name in families
            for subject, place in self._places[name, day].items()
        }

    def _read_texts(self, numbers: set[int]) -> None:
        self._texts |= read_texts(self._connection, numbers - self._texts.keys())


def _unknown(family: str, reason: str) -> Unknown:
    return Unknown(family, "everything", reason, "Take a new collection")
