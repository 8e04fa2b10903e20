"""Getting collections back, exactly as they were."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
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
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection, Engine

#: How far a clock may be ahead before what it says counts as wrong.
_AHEAD: Final = timedelta(minutes=5)
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
    results: list[CollectionResult] = []
    with engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        hold(connection)
        reader = _Reader(connection, environment, families)
        for row in reader.rows(now or datetime.now(UTC)):
            if len(results) == limit:
                break
            result = reader.result(row)
            if result is not None:
                results.append(result)
    return results


class _Reader:
    """One transaction's reading; texts are read once."""

    def __init__(
        self, connection: Connection, environment: str, families: Names[str] | None
    ) -> None:
        self._connection = connection
        self._environment = environment
        self._wanted = families
        self._texts: dict[int, str] = {}
        self._layouts = Layouts()

    def rows(self, now: datetime) -> Iterator[_Row]:
        """The newest first, but those from the future last."""
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
            start = 0
            while True:
                portion = chosen.where(when).limit(_ROWS_AT_ONCE).offset(start)
                found = self._connection.execute(portion).all()
                yield from (_Row(*row) for row in found)
                if len(found) < _ROWS_AT_ONCE:
                    break
                start += _ROWS_AT_ONCE

    def result(self, row: _Row) -> CollectionResult | None:
        """The collection, as far as it is wanted; None if nothing of it is."""
        self._read_texts({row.families_id, row.unknown_id})
        orders = json.loads(self._texts[row.families_id])
        whole = (row.details or {}).get("entries", {})
        names = [name for name in (*orders, *whole) if self._wants(name)]
        if self._wanted is not None and not names:
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
            unknown=tuple(each for each in missing if self._wants(each.family)),
        )

    def _wants(self, family: str) -> bool:
        return self._wanted is None or family in self._wanted

    def _documents(self, row: _Row, orders: Mapping[str, Mapping[str, Any]]) -> dict[str, Document]:
        day = day_of(row.taken_at)
        known = places(self._connection, self._environment, orders, day)
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

    def _read_texts(self, numbers: set[int]) -> None:
        self._texts |= read_texts(self._connection, numbers - self._texts.keys())


def _unknown(family: str, reason: str) -> Unknown:
    return Unknown(family, "everything", reason, "Take a new collection")
