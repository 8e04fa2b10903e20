"""What the tests of history share: operations databases, and families of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from sqlalchemy import create_engine, text

from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.result import CollectionResult, Entry, FamilyResult, UtcTime
from bounty_ops_tests.fix_servers import all_server_majors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl

#: The major version of the operations database that `bounty-ops up` starts.
EMBEDDED = 17
#: A Friday, long ago: nothing here depends on today.
FRIDAY = datetime(2024, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Relation(Entry):
    """An entry with a field of every kind."""

    name: str
    kind: str = "table"
    size: int
    rows: int | None = None
    ratio: float = 0.5
    exact: bool = True
    vacuumed: UtcTime | None = None
    columns: tuple[str | None, ...] = ()

    @property
    def subject(self) -> str:
        return self.name


class Relations(FamilyResult):
    """A family with two lists."""

    family: ClassVar[str] = "relations"
    lists: ClassVar[tuple[str, ...]] = ("relations", "others")

    total: int
    share: float | None = None
    relations: tuple[Relation, ...] = ()
    others: tuple[Relation, ...] = ()


class Vitals(FamilyResult):
    """A family without any."""

    family: ClassVar[str] = "vitals"

    used: int
    by_state: dict[str, int] = {}  # noqa: RUF012 - pydantic copies it


@pytest.fixture(autouse=True)
def _families(monkeypatch: pytest.MonkeyPatch) -> None:
    for family in (Relations, Vitals):
        monkeypatch.setitem(FAMILIES, family.family, (family, None))


@pytest.fixture(
    params=[
        pytest.param(major, marks=[] if major == EMBEDDED else [pytest.mark.soak])
        for major in all_server_majors()
    ]
)
def operations_url(
    request: pytest.FixtureRequest, make_database: Callable[..., DatabaseUrl]
) -> DatabaseUrl:
    """On the PostgreSQL that comes along; in a soak on every other one too."""
    return make_database(request.param, line="ops")


@pytest.fixture
def operations(operations_url: DatabaseUrl) -> Iterator[Engine]:
    """With a pool: a connection a statement would take longer than all that is tested."""
    made = create_engine(operations_url.sqlalchemy())
    yield made
    made.dispose()


def taken(
    at: datetime, *families: FamilyResult, environment: str = "development"
) -> CollectionResult:
    found: Mapping[str, FamilyResult] = {each.family: each for each in families}
    return CollectionResult(environment, at, 0.25, found)


def relations(*sizes: int | None, **changes: Any) -> Relations:  # noqa: ANN401 - any field
    """Tables t0, t1 ... of these sizes, biggest first; None: there is none of that name."""
    found = [
        Relation(name=f"t{number}", size=size, **changes)
        for number, size in enumerate(sizes)
        if size is not None
    ]
    ordered = tuple(sorted(found, key=lambda each: (-each.size, each.name)))
    return Relations(total=sum(each.size for each in found), relations=ordered)


def count(operations: Engine, table: str) -> int:
    with operations.connect() as connection:
        rows: int = connection.execute(
            text(f"SELECT count(*) FROM bounty_ops.{table}")
        ).scalar_one()
    return rows
