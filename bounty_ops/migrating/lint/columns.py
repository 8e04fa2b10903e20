"""Columns and constraints as a statement declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import ConstrType

from bounty_ops.migrating.lint.schema import Column, Constraint, Index
from bounty_ops.migrating.lint.sqltypes import is_serial, read_type
from bounty_ops.migrating.lint.tree import (
    column_names,
    qualified,
    relation_name,
    source_text,
    strings,
)

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.schema import Catalogue, ConstraintKind, Table
    from bounty_ops.migrating.lint.tree import Node

KINDS: Final[dict[ConstrType, ConstraintKind]] = {
    ConstrType.CONSTR_CHECK: "check",
    ConstrType.CONSTR_FOREIGN: "foreign",
    ConstrType.CONSTR_UNIQUE: "unique",
    ConstrType.CONSTR_PRIMARY: "primary",
    ConstrType.CONSTR_EXCLUSION: "exclude",
    ConstrType.CONSTR_NOTNULL: "notnull",
}
_SUFFIXES: Final[dict[str, str]] = {
    "check": "check", "foreign": "fkey", "unique": "key", "primary": "pkey", "exclude": "excl",
    "notnull": "not_null",
}  # fmt: skip


def constraints_of(definition: Node) -> list[Node]:
    """The constraints inside a column definition."""
    return [each for each in definition.constraints or () if isinstance(each, ast.Constraint)]


def read_column(definition: Node) -> Column:
    """The column that a ColumnDef declares, without what its constraints add to the table."""
    column = Column(definition.colname or "", read_type(definition.typeName))
    if definition.typeName is not None and is_serial(definition.typeName):
        column.default = "nextval()"
        column.not_null = True
    for each in constraints_of(definition):
        kind = each.contype
        if kind in {ConstrType.CONSTR_NOTNULL, ConstrType.CONSTR_PRIMARY}:
            column.not_null = True
        elif kind == ConstrType.CONSTR_DEFAULT:
            column.default = source_text(each.raw_expr) or "?"
        elif kind == ConstrType.CONSTR_IDENTITY:
            column.identity = column.not_null = True
        elif kind == ConstrType.CONSTR_GENERATED:
            column.generated = "virtual" if each.generated_kind == "v" else "stored"
            column.expression_columns = frozenset(column_names(each.raw_expr))
    return column


def read_constraint(table: str, node: Node, column: str | None = None) -> Constraint | None:
    """The constraint that a node declares; None when it is none of the table's own."""
    kind = KINDS.get(node.contype)
    if kind is None:
        return None
    columns = tuple(strings(node.keys)) or tuple(strings(node.fk_attrs))
    if kind == "check":
        columns = tuple(sorted(column_names(node.raw_expr)))
    elif not columns and column is not None:
        columns = (column,)
    return Constraint(
        name=node.conname or default_name(table, kind, columns),
        kind=kind,
        columns=columns,
        valid=not node.skip_validation,
        expression=source_text(node.raw_expr) if kind == "check" else "",
        references=relation_name(node.pktable) if node.pktable is not None else None,
        referenced_columns=tuple(strings(node.pk_attrs)),
    )


def default_name(table: str, kind: str, columns: tuple[str, ...]) -> str:
    """The name that PostgreSQL gives to a constraint without one."""
    bare = table.rpartition(".")[2]
    middle = [] if kind == "primary" else [*columns]
    return "_".join([bare, *middle, _SUFFIXES[kind]])


def add_column(table: Table, definition: Node) -> Column:
    """Put the column of a definition into a table, with its constraints."""
    column = read_column(definition)
    table.columns[column.name] = column
    for each in constraints_of(definition):
        add_constraint(table, each, column.name)
    return column


def add_constraint(table: Table, node: Node, column: str | None = None) -> Constraint | None:
    """Put a constraint into a table; a primary key makes its columns not null."""
    found = read_constraint(table.name, node, column)
    if found is None or (column is not None and found.kind == "notnull"):
        return found
    table.constraints[found.name] = found
    if found.kind == "primary" or (found.kind == "notnull" and found.valid):
        for name in found.columns:
            if name in table.columns:
                table.columns[name].not_null = True
    return found


def index_of_constraint(catalogue: Catalogue, table: Table, constraint: Constraint) -> None:
    """Enter the index that a unique constraint or a primary key brings along."""
    if constraint.kind not in {"unique", "primary", "exclude"}:
        return
    schema = table.name.rpartition(".")[0]
    name = qualified(schema, constraint.name)
    catalogue.indexes[name] = Index(
        name,
        table.name,
        constraint.columns,
        unique=constraint.kind != "exclude",
        constraint=constraint.name,
        primary=constraint.kind == "primary",
        depends_on=frozenset(constraint.columns),
    )
