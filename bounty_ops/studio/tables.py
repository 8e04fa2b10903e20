"""The tables of a database as they are there, with the references between them in both directions.

They are read from the server and not from the models: a table that no model knows can be looked at
too, and a column that drifted away does not break a page.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from sqlalchemy import Column, Enum, MetaData, String, Table, case, inspect, literal, text
from sqlalchemy.exc import SAWarning
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeEngine, UserDefinedType

from bounty_ops.studio.secrets import COLUMNS, HIDDEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection
    from sqlalchemy.engine.interfaces import ReflectedForeignKeyConstraint

    from bounty_ops.studio.secrets import Secrets

#: Schemas of the server itself.
_FOREIGN_SCHEMAS: Final = re.compile(r"pg_.*|information_schema")
#: Of a table without a primary key: the place of the row, which is a key while nobody writes.
PLACE: Final = "ctid"
_PUBLIC: Final = "public"

_SIZES: Final = """
SELECT n.nspname, c.relname, c.reltuples::bigint, pg_total_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
"""
_PARTITIONS: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relispartition
"""


class Tid(UserDefinedType[str]):
    """The type of `PLACE`."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        """Its name in PostgreSQL."""
        return "TID"

    @property
    def python_type(self) -> type[str]:
        """As the driver gives it: ``(block,number)``."""
        return str


class Hidden(UserDefinedType[str]):
    """The type of a column whose values stay with the server: whether there is one can be seen."""

    cache_ok = True

    def __init__(self, takes_text: bool = False) -> None:
        self.takes_text = takes_text
        """Whether a new row can be given a value in a form."""

    def get_col_spec(self, **_options: object) -> str:
        """Its name in PostgreSQL; only ever asked for in messages."""
        return "TEXT"

    def column_expression(self, colexpr: ColumnElement[str]) -> ColumnElement[str]:
        """What is selected in the place of the column."""
        return case((colexpr.is_not(None), literal(HIDDEN, String())))

    @property
    def python_type(self) -> type[str]:
        """As the driver gives what is selected."""
        return str


@dataclass(frozen=True)
class Reference:
    """A foreign key, seen from the table that has it."""

    source: str
    """Identity of that table."""
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass
class ShownTable:
    """One table: how it is addressed, what it refers to, and what refers to it."""

    identity: str
    """Its part of the address: its name, with the schema before it unless that is `public`."""
    schema: str
    table: Table
    model: type
    hidden: frozenset[str] = frozenset()
    """The columns whose values stay with the server."""
    outgoing: list[Reference] = field(default_factory=list)
    incoming: list[Reference] = field(default_factory=list)

    @property
    def has_key(self) -> bool:
        """Whether rows have a primary key; others can be looked at only."""
        return PLACE not in self.table.primary_key.columns

    def is_in_an_address(self, column: str) -> bool:
        """Whether a link to other rows holds the column's value."""
        return any(column in one.columns for one in self.outgoing) or any(
            column in one.target_columns for one in self.incoming
        )

    def reference_of(self, column: str) -> Reference | None:
        """The reference that a column alone makes."""
        return next((one for one in self.outgoing if one.columns == (column,)), None)


@dataclass(frozen=True)
class Size:
    """How large a table is, as the server's statistics have it."""

    rows: int | None
    """None: it was never analyzed."""
    size_bytes: int


def read_tables(connection: Connection, secrets: Secrets | None) -> dict[str, ShownTable]:
    """Every table of the database by identity, in the order of schemas and names.

    `secrets` says which columns are hidden; None: none.
    """
    catalog = inspect(connection)
    schemas = [name for name in catalog.get_schema_names() if not _FOREIGN_SCHEMAS.fullmatch(name)]
    partitions = {tuple(row) for row in connection.execute(text(_PARTITIONS))}
    hidden: dict[tuple[str, str], frozenset[str]] = {}
    if secrets is not None:
        every = connection.exec_driver_sql(COLUMNS, (None, None))
        hidden = secrets.among(tuple(row) for row in every)
    found: dict[str, ShownTable] = {}
    for schema in sorted(schemas, key=lambda name: (name != _PUBLIC, name)):
        names = {one for one in catalog.get_table_names(schema) if (schema, one) not in partitions}
        metadata = MetaData()
        # A few statements for a whole schema, however many tables it has.
        with warnings.catch_warnings():
            # A type that it does not know, such as xml, is shown as the server writes it.
            warnings.filterwarnings("ignore", "Did not recognize type", SAWarning)
            metadata.reflect(connection, schema, only=sorted(names), resolve_fks=False)
        for table in sorted(metadata.tables.values(), key=lambda one: one.name):
            identity = _identity(schema, table.name, found)
            found[identity] = _mapped(
                identity, schema, table, hidden.get((schema, table.name), frozenset())
            )
    _join(found, {schema: catalog.get_multi_foreign_keys(schema) for schema in schemas})
    return found


def read_sizes(connection: Connection) -> dict[tuple[str, str], Size]:
    """Rows and bytes of every table, by schema and name."""
    return {
        (schema, name): Size(rows if rows >= 0 else None, size)
        for schema, name, rows, size in connection.execute(text(_SIZES))
    }


def matching(columns: Sequence[str], values: Sequence[object]) -> str:
    """The query string of a list of the rows that have these values."""
    wanted = {}
    for column, value in zip(columns, values, strict=True):
        wanted[parameter(column)] = str(value)
        wanted[f"{parameter(column)}_op"] = "equals"
    return urlencode(wanted)


def parameter(column: str) -> str:
    """A column's name in a query string; one that is called `page` is not the number of a page."""
    return f"where.{column}"


def _identity(schema: str, name: str, taken: dict[str, ShownTable]) -> str:
    plain = re.sub(r"[^\w.-]", "_", name if schema == _PUBLIC else f"{schema}.{name}")
    wanted, number = plain, 1
    while wanted in taken:
        number += 1
        wanted = f"{plain}-{number}"
    return wanted


def _mapped(identity: str, schema: str, reflected: Table, hidden: frozenset[str]) -> ShownTable:
    """A table of its own without constraints: what sqladmin sees are columns and the key."""
    # A key that is hidden must not be the address of a row.
    key = {column.name for column in reflected.primary_key}
    key = set() if key & hidden else key
    columns: list[Column[Any]] = [
        Column(
            column.name,
            _type_of(column, hidden),
            key=column.name,
            primary_key=column.name in key,
            nullable=column.nullable,
            server_default=column.server_default,
            autoincrement=False,
        )
        for column in reflected.columns
    ]
    if not key:
        columns.append(Column(PLACE, Tid(), primary_key=True, system=True))
    table = Table(reflected.name, MetaData(), *columns, schema=schema)
    model = type("Row", (), {"__doc__": f"A row of {schema}.{reflected.name}."})
    # A registry of its own: one wants the names of its classes to differ.
    registry().map_imperatively(model, table)
    return ShownTable(identity, schema, table, model, hidden)


def _type_of(column: Column[Any], hidden: frozenset[str]) -> TypeEngine[Any]:
    if column.name not in hidden:
        return column.type
    return Hidden(isinstance(column.type, String) and not isinstance(column.type, Enum))


def _join(
    found: dict[str, ShownTable],
    keys: dict[str, dict[Any, list[ReflectedForeignKeyConstraint]]],
) -> None:
    by_name = {(one.schema, one.table.name): one for one in found.values()}
    for schema, by_table in keys.items():
        for (_, name), constraints in by_table.items():
            source = by_name.get((schema, name))
            for one in constraints:
                target = by_name.get((one["referred_schema"] or schema, one["referred_table"]))
                if source is None or target is None:
                    continue
                if source.hidden & set(one["constrained_columns"]) or target.hidden & set(
                    one["referred_columns"]
                ):
                    continue  # a link would be an address that holds the value
                reference = Reference(
                    source.identity,
                    tuple(one["constrained_columns"]),
                    target.identity,
                    tuple(one["referred_columns"]),
                )
                source.outgoing.append(reference)
                target.incoming.append(reference)
