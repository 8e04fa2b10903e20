"""The models as the diagram and the dictionary see them: tables, columns, references. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import CheckConstraint, Enum, UniqueConstraint
from sqlalchemy.dialects.postgresql.base import PGDialect

from bounty_ops.schema import bounty

if TYPE_CHECKING:
    from sqlalchemy import Column, Table


_POSTGRESQL: Final = PGDialect()  # type: ignore[no-untyped-call] # SQLAlchemy's


@dataclass(frozen=True)
class ColumnShape:
    """One column in words."""

    name: str
    kind: str
    nullable: bool
    is_key: bool
    is_unique: bool
    default: str
    """What the database puts there, as SQL; empty: nothing."""
    target: str
    """The table that it refers to; empty: none."""
    target_column: str
    on_delete: str


@dataclass(frozen=True)
class TableShape:
    """One table in words."""

    name: str
    domain: str
    """The module that declares it."""
    meaning: str
    columns: tuple[ColumnShape, ...]
    indexes: tuple[str, ...]


@dataclass(frozen=True)
class EnumShape:
    """A type with its labels, in their order."""

    name: str
    labels: tuple[str, ...]


def table_shapes() -> tuple[TableShape, ...]:
    """Bounty's tables, by domain and name."""
    found = [
        _table(mapper.local_table, mapper.class_)  # type: ignore[arg-type] # each has a table
        for mapper in bounty.Base.registry.mappers
    ]
    return tuple(sorted(found, key=lambda one: (one.domain, one.name)))


def enum_shapes() -> tuple[EnumShape, ...]:
    """Bounty's enum types, by name."""
    kinds = [kind for kind in vars(bounty).values() if isinstance(kind, Enum)]
    found = [EnumShape(str(kind.name), tuple(kind.enums)) for kind in kinds]
    return tuple(sorted(found, key=lambda one: one.name))


def _table(table: Table, model: type) -> TableShape:
    return TableShape(
        name=table.name,
        domain=model.__module__.rpartition(".")[2],
        meaning=(model.__doc__ or "").strip(),
        columns=tuple(_column(table, column) for column in table.columns),
        indexes=tuple(sorted(_indexes(table))),
    )


def _column(table: Table, column: Column[object]) -> ColumnShape:
    reference = next(iter(column.foreign_keys), None)
    uniques = {
        next(iter(one.columns)).name
        for one in table.constraints
        if isinstance(one, UniqueConstraint) and len(one.columns) == 1
    }
    return ColumnShape(
        name=column.name,
        kind=column.type.compile(dialect=_POSTGRESQL).lower(),
        nullable=bool(column.nullable),
        is_key=column.primary_key,
        is_unique=column.name in uniques,
        default=_default(column),
        target=reference.column.table.name if reference else "",
        target_column=reference.column.name if reference else "",
        on_delete=(reference.ondelete or "").lower() if reference else "",
    )


def _default(column: Column[object]) -> str:
    given = getattr(column.server_default, "arg", None)
    if given is None:
        return ""
    if isinstance(given, str):
        return f"'{given}'"
    return str(given.compile(dialect=_POSTGRESQL))


def _indexes(table: Table) -> list[str]:
    found = []
    for index in table.indexes:
        columns = ", ".join(str(getattr(one, "name", one)) for one in index.expressions)
        found.append(f"{index.name} ({columns}){', unique' if index.unique else ''}")
    for one in table.constraints:
        if isinstance(one, UniqueConstraint) and len(one.columns) > 1:
            found.append(f"{one.name} ({', '.join(c.name for c in one.columns)}), unique")
        if isinstance(one, CheckConstraint):
            found.append(f"{one.name} check ({one.sqltext})")
    return found
