"""How far pages of a list are numbered, and where a list goes on after them. Pure.

Counting rows, and skipping them, costs as much as reading them. So rows are counted, and pages are
numbered, up to `WINDOW`; the last page leads on to what comes after its last row, in any order.
That row is named by its key alone. The server looks up what it holds in the column of the order, so
neither does a value end up in an address, nor is a digit of it lost on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from sqladmin.pagination import Pagination
from sqlalchemy import and_, or_, tuple_

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement
    from starlette.datastructures import URL

WINDOW: Final = 10_000
#: Longer is nobody's patience: the rows are shown without their number.
COUNT_MILLISECONDS: Final = 3_000
#: The part of an address that names the row, and the order that it was the last one in.
AFTER, AFTER_ORDER = "after", "afterOrder"


class AtLeast(int):
    """A number that says that it is not all."""

    def __str__(self) -> str:
        """For the foot of a list."""
        return f"more than {int(self):,}"


@dataclass
class Window(Pagination):
    """A page of at most `WINDOW` rows."""

    more: bool = False
    """Whether there are rows beyond the window."""
    counted: bool = True
    """Whether the rows were counted; it would have taken too long."""
    estimate: int | None = None
    """How many rows the table has by the server's statistics, if the window does not show all."""
    onwards: str | None = None
    """The address of what comes after the last row of the window; None: this is not its page."""
    after: str | None = None
    """The key of the row that the list goes on after; None: it begins at the beginning."""


@dataclass(frozen=True)
class Order:
    """What a list is ordered by, before its key."""

    column: str
    """Empty: by its key alone."""
    descending: bool

    def __str__(self) -> str:
        """As in an address."""
        return f"{self.column}:{'desc' if self.descending else 'asc'}" if self.column else ""


def order_of(parameters: Mapping[str, str]) -> Order:
    """The order that an address asks for."""
    return Order(parameters.get("sortBy", ""), parameters.get("sort", "asc") == "desc")


def after_of(parameters: Mapping[str, str]) -> str | None:
    """The key after which a list goes on; of another order it says nothing."""
    if parameters.get(AFTER_ORDER, "") != str(order_of(parameters)):
        return None
    return parameters.get(AFTER) or None


def onwards(url: URL, key: str) -> str:
    """The address of what comes after the row with this key."""
    order = str(order_of(dict(parse_qsl(url.query))))
    return str(
        url.remove_query_params(["page", AFTER, AFTER_ORDER]).include_query_params(
            **{AFTER: key, AFTER_ORDER: order}
        )
    )


def beyond(
    keys: Sequence[ColumnElement[Any]],
    values: Sequence[object],
    ordered: ColumnElement[Any] | None,
    there: ColumnElement[Any] | None,
    *,
    descending: bool,
    empty: bool,
) -> ColumnElement[bool]:
    """The rows that come after one, in an order in which the key settles what is equal.

    Args:
        keys: the columns of the key.
        values: of the row's key.
        ordered: the column of the order; None: there is none but the key.
        there: the row's value in it, as an expression.
        descending: which way; NULL is beyond everything, as PostgreSQL has it.
        empty: whether the row's value is NULL.
    """
    further: ColumnElement[bool] = tuple_(*keys) > tuple_(*values)
    if ordered is None or there is None:
        return further
    if empty:
        same = and_(ordered.is_(None), further)
        return or_(ordered.is_not(None), same) if descending else same
    equal = and_(ordered == there, further)
    if descending:
        return or_(ordered < there, equal)
    return or_(ordered > there, ordered.is_(None), equal)
