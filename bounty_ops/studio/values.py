"""How values come from the server: no more of a long one than is shown, none that breaks a page.

A page of a list has up to 250 rows, and each of their values may have megabytes; so lists and rows
ask for the beginnings of values. What Python has no value for (dates before Christ, `infinity`)
comes in the server's own words, instead of taking the whole page with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from psycopg.types.string import TextLoader
from sqlalchemy import (
    Boolean,
    Date,
    DateTime,
    Enum,
    Integer,
    LargeBinary,
    Numeric,
    Text,
    Time,
    Uuid,
    cast,
    func,
)

from bounty_ops.studio.tables import Hidden, Tid

if TYPE_CHECKING:
    from psycopg.abc import Buffer
    from sqlalchemy import Column, ColumnElement

#: Characters of a value in a list, and on a page of its own row.
IN_A_LIST: Final = 80
IN_A_ROW: Final = 100_000
#: Types whose values are never long.
_SHORT_TYPES: Final = (
    Boolean, Date, DateTime, Enum, Hidden, Integer, Numeric, Tid, Time, Uuid,
)  # fmt: skip


def beginning(column: Column[Any], letters: int, *, whole: bool) -> ColumnElement[Any]:
    """What to select of a column, so that one letter more than `letters` says that there are more.

    `whole` is for a column whose value is part of an address.
    """
    if whole or isinstance(column.type, _SHORT_TYPES):
        return column
    if isinstance(column.type, LargeBinary):
        # As text it is twice as long, which may be more than the server can make.
        return cast(func.substring(column, 1, letters + 1), Text)
    return func.left(cast(column, Text), letters + 1)


def in_words(value: object, letters: int) -> str:
    """A value on a page."""
    words = str(value)
    return words if len(words) <= letters else f"{words[:letters]}…"


def take_what_comes(connection: psycopg.Connection[Any]) -> None:
    """Let no value of a connection's results be an error."""
    for name, loader in (
        ("date", _LenientDate),
        ("timestamp", _LenientTimestamp),
        ("timestamptz", _LenientTimestamptz),
        # A month is not 30 days.
        ("interval", TextLoader),
    ):
        connection.adapters.register_loader(name, loader)


class _LenientDate(DateLoader):
    def load(self, data: Buffer) -> Any:  # noqa: ANN401 - a date, or what is none
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class _LenientTimestamp(TimestampLoader):
    def load(self, data: Buffer) -> Any:  # noqa: ANN401 - as above
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class _LenientTimestamptz(TimestamptzLoader):
    def load(self, data: Buffer) -> Any:  # noqa: ANN401 - as above
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()
