"""Subjects, and their places on pages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import func, insert, select, tuple_, update

from bounty_ops.monitoring.history.packs import PAGE_SLOTS
from bounty_ops.monitoring.result import SUMMARY
from bounty_ops.schema.ops import SamplePage, SampleSubject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import date

    from sqlalchemy import Connection, Engine

#: How stale `seen_on` may be: see `texts.TOUCHED_EVERY`.
TOUCHED_EVERY: Final = timedelta(days=3)
_NAMES_AT_ONCE: Final = 1000


class Subject(NamedTuple):
    """What is measured, within its environment."""

    family: str
    list: str
    """Empty for the headline of the family."""
    name: str

    @property
    def shelf(self) -> str:
        """Headlines of all families share pages: there is one of each, and most change often."""
        return self.family if self.list else SUMMARY


class Place(NamedTuple):
    """Where a subject's measures are."""

    subject_id: int
    page_id: int
    slot: int


def places(
    connection: Connection, environment: str, families: Iterable[str], day: date
) -> dict[Subject, Place]:
    """The places of all subjects that may have samples on a day."""
    return _found(
        connection,
        SampleSubject.environment == environment,
        SampleSubject.family.in_(list(families)),
        SampleSubject.seen_on >= day - TOUCHED_EVERY,
    )


def place_all(
    connection: Connection, environment: str, wanted: Collection[Subject], day: date
) -> dict[Subject, Place]:
    """The places of these subjects, new ones where they have none, and those of `places`.

    The caller holds the environment's lock.
    """
    families = {subject.family for subject in wanted}
    known = places(connection, environment, families, day)
    missing = [subject for subject in wanted if subject not in known]
    returned: dict[Subject, Place] = {}
    for some in _portions(missing):
        returned |= _found(
            connection,
            SampleSubject.environment == environment,
            tuple_(SampleSubject.family, SampleSubject.list, SampleSubject.name).in_(some),
        )
    known |= returned
    _touch(connection, (place.subject_id for place in returned.values()), day)
    for shelf in dict.fromkeys(subject.shelf for subject in missing):
        new = [each for each in missing if each.shelf == shelf and each not in known]
        known |= _add(connection, environment, shelf, new, day)
    return known


def subjects(engine: Engine, environment: str, family: str) -> list[str]:
    """What has been measured of a family, by name, as far as history goes back."""
    chosen = (
        select(SampleSubject.name)
        .where(SampleSubject.environment == environment, SampleSubject.family == family)
        .distinct()
        .order_by(SampleSubject.name)
    )
    with engine.connect() as connection:
        return list(connection.scalars(chosen))


def _found(connection: Connection, *conditions: object) -> dict[Subject, Place]:
    chosen = select(
        SampleSubject.family,
        SampleSubject.list,
        SampleSubject.name,
        SampleSubject.id,
        SampleSubject.page_id,
        SampleSubject.slot,
    ).where(*conditions)  # type: ignore[arg-type] # conditions are what SQLAlchemy makes of ==
    return {Subject(*row[:3]): Place(*row[3:]) for row in connection.execute(chosen)}


def _touch(connection: Connection, subject_ids: Iterable[int], day: date) -> None:
    numbers = sorted(subject_ids)
    if numbers:
        connection.execute(
            update(SampleSubject)
            .where(SampleSubject.id.in_(numbers), SampleSubject.seen_on < day)
            .values(seen_on=day)
        )


def touch_stale(connection: Connection, subject_ids: Collection[int], day: date) -> None:
    """Say of subjects that they have samples on a day, unless that was said a short time ago."""
    if not subject_ids:
        return
    stale = connection.scalars(
        select(SampleSubject.id).where(
            SampleSubject.id.in_(list(subject_ids)),
            SampleSubject.seen_on < day - TOUCHED_EVERY,
        )
    )
    _touch(connection, stale, day)


def _add(
    connection: Connection, environment: str, shelf: str, new: list[Subject], day: date
) -> dict[Subject, Place]:
    """Put new subjects behind the last one of a shelf, on new pages where that one is full."""
    free = _free_places(connection, environment, shelf)
    rows = []
    for subject in new:
        page, slot = next(free)
        rows.append(
            {
                "page_id": page,
                "slot": slot,
                "seen_on": day,
                "environment": environment,
                **subject._asdict(),
            }
        )
    if not rows:
        return {}
    added = connection.execute(
        insert(SampleSubject).returning(
            SampleSubject.id,
            SampleSubject.page_id,
            SampleSubject.slot,
            sort_by_parameter_order=True,
        ),
        rows,
    )
    return {subject: Place(*row) for subject, row in zip(new, added, strict=True)}


def _free_places(connection: Connection, environment: str, shelf: str) -> Iterator[tuple[int, int]]:
    """Each place after the last that is taken, without end."""
    last = connection.execute(
        select(SamplePage.id, func.coalesce(func.max(SampleSubject.slot), -1).label("taken"))
        .outerjoin(SampleSubject, SampleSubject.page_id == SamplePage.id)
        .where(SamplePage.environment == environment, SamplePage.shelf == shelf)
        .group_by(SamplePage.id)
        .order_by(SamplePage.id.desc())
        .limit(1)
    ).first()
    if last is not None:
        yield from ((last.id, slot) for slot in range(last.taken + 1, PAGE_SLOTS))
    while True:
        page = connection.execute(
            insert(SamplePage).values(environment=environment, shelf=shelf).returning(SamplePage.id)
        ).scalar_one()
        yield from ((page, slot) for slot in range(PAGE_SLOTS))


def _portions(subjects: list[Subject]) -> Iterator[list[Subject]]:
    for start in range(0, len(subjects), _NAMES_AT_ONCE):
        yield subjects[start : start + _NAMES_AT_ONCE]
