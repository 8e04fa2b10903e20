"""What PostgreSQL refuses because of what is there already, or is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import AlterTableType

from bounty_ops.migrating.lint.sqltypes import read_type
from bounty_ops.migrating.lint.tree import (
    column_names,
    constant,
    dotted,
    relation_name,
    strings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.schema import Table
    from bounty_ops.migrating.lint.sqltypes import SqlType
    from bounty_ops.migrating.lint.tree import Node

_ABOUT_A_COLUMN: Final = frozenset({
    AlterTableType.AT_ColumnDefault, AlterTableType.AT_SetNotNull, AlterTableType.AT_DropNotNull,
    AlterTableType.AT_SetStatistics, AlterTableType.AT_SetOptions, AlterTableType.AT_ResetOptions,
    AlterTableType.AT_SetStorage, AlterTableType.AT_SetCompression,
    AlterTableType.AT_AlterColumnType, AlterTableType.AT_AddIdentity,
    AlterTableType.AT_SetIdentity, AlterTableType.AT_DropIdentity,
    AlterTableType.AT_SetExpression, AlterTableType.AT_DropExpression,
})  # fmt: skip
_OF_TABLES: Final = frozenset({
    AlterTableType.AT_AddColumn, AlterTableType.AT_DropColumn, AlterTableType.AT_SetNotNull,
    AlterTableType.AT_DropNotNull, AlterTableType.AT_AlterColumnType,
    AlterTableType.AT_AddConstraint, AlterTableType.AT_EnableRowSecurity,
})  # fmt: skip


def lacks_columns(exam: Examination, name: str, columns: Iterable[str | None]) -> bool:
    """Say so when a table that is known in full has not one of these columns."""
    table = exam.model.table(name)
    if table is None:
        return False
    whole = table.complete and bool(table.columns)
    for column in columns:
        if not column or column in table.columns or column in _SYSTEM_COLUMNS:
            continue
        if whole or column in table.gone_columns:
            exam.report("always-fails", name, detail=f"{name} has no column {column}")
            return True
    return False


_SYSTEM_COLUMNS: Final = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


def refuses_command(exam: Examination, name: str, node: Node, command: Node) -> bool:
    """Whether a subcommand of ALTER TABLE cannot work on this table at all."""
    table = exam.model.table(name)
    if table is not None and table.kind in {"view", "materialized"}:
        if command.subtype in _OF_TABLES and not exam.is_new(name):
            kind = "materialized view" if table.kind == "materialized" else "view"
            exam.report("always-fails", name, detail=f"{name} is a {kind}, not a table")
            return True
        return False
    if _is_up_to_the_parent(exam, table, command):
        return True
    added = {
        each.def_.colname for each in node.cmds or () if each.subtype == AlterTableType.AT_AddColumn
    }
    if command.subtype == AlterTableType.AT_AddConstraint:
        return lacks_columns(exam, name, _constrained(command.def_) - added - {name})
    if command.subtype not in _ABOUT_A_COLUMN or command.name in added:
        return False
    return lacks_columns(exam, name, [command.name]) or _fills_itself(exam, name, node, command)


def _constrained(definition: Node) -> set[str]:
    """The columns that a new constraint names."""
    named = {*strings(definition.keys), *strings(definition.fk_attrs)}
    return named | column_names(definition.raw_expr)


_FREES: Final = frozenset({AlterTableType.AT_DropIdentity, AlterTableType.AT_DropExpression})


def _fills_itself(exam: Examination, name: str, node: Node, command: Node) -> bool:
    """Say so when an identity or a generated column is to get or lose a default."""
    column = exam.model.column(name, command.name)
    if command.subtype != AlterTableType.AT_ColumnDefault or column is None:
        return False
    freed = {each.name for each in node.cmds if each.subtype in _FREES}
    if command.name in freed or not (column.identity or column.generated):
        return False
    kind = "an identity" if column.identity else "a generated"
    exam.report("always-fails", name, detail=f"{command.name} is {kind} column, without a default")
    return True


_OF_THE_PARENT: Final = frozenset({
    AlterTableType.AT_AddColumn, AlterTableType.AT_DropColumn, AlterTableType.AT_AlterColumnType,
})  # fmt: skip


def _is_up_to_the_parent(exam: Examination, table: Table | None, command: Node) -> bool:
    """Say so when a partition is to get other columns than the table that it is a part of."""
    if table is None or table.parent is None or command.subtype not in _OF_THE_PARENT:
        return False
    exam.report("always-fails", table.name, detail=f"{table.name} is a partition of "
                f"{table.parent}, which decides about its columns")  # fmt: skip
    return True


def lacks_type(exam: Examination, name: str, definition: Node) -> bool:
    """Say so when a new column is of a type that is not there."""
    declared = read_type(definition.typeName) if definition.typeName is not None else None
    if declared is None or not exam.model.type_names or is_type(exam, declared.name):
        return False
    exam.report("always-fails", name, detail=f"there is no type {declared.name}")
    return True


def is_type(exam: Examination, name: str) -> bool:
    """Whether it is a type of the server's own, or one that the database has made."""
    model = exam.model
    own = (model.enums, model.domains, model.types, model.tables)
    return name in model.type_names or any(name in each for each in own)


def lacks_label(exam: Examination, name: str, declared: SqlType | None, value: Node) -> bool:
    """Say so when a default is no label of the column's enum."""
    while isinstance(value, ast.TypeCast):
        value = value.arg
    labels = exam.model.enums.get(declared.name) if declared and not declared.array else None
    text = constant(value)
    if labels is None or text is None or text in labels:
        return False
    exam.report("always-fails", name, detail=f"{declared} has no label {text}")
    return True


def create_type(exam: Examination, node: Node) -> None:
    """CREATE TYPE and CREATE DOMAIN."""
    if isinstance(node, ast.CreateDomainStmt):
        name = dotted(node.domainname)
    elif isinstance(node, ast.CompositeTypeStmt):
        name = relation_name(node.typevar)
    else:
        name = dotted(node.typeName)
    model = exam.model
    if not exam.is_new(name) and name in {*model.enums, *model.domains, *model.types}:
        exam.report("always-fails", detail=f"there is a type {name} already")
    exam.born.add(name)


def drop_schema(exam: Examination, names: list[str]) -> None:
    """DROP SCHEMA without CASCADE: it has to be empty."""
    model = exam.model
    for name in names:
        inside = [
            each
            for each in (*model.tables, *model.enums, *model.domains, *model.functions)
            if each.startswith(f"{name}.")
        ]
        if inside:
            exam.report("always-fails", detail=f"the schema {name} is not empty: {inside[0]}")


def changes_unknown_columns(exam: Examination, node: Node) -> bool:
    """UPDATE or INSERT of a column that is not there."""
    targets = node.targetList if isinstance(node, ast.UpdateStmt) else node.cols
    names = [each.name for each in targets or () if isinstance(each, ast.ResTarget)]
    return lacks_columns(exam, relation_name(node.relation), names)


def leaves_out_required(exam: Examination, node: Node) -> None:
    """INSERT without a column that may not be null and that nothing fills."""
    name = relation_name(node.relation)
    table = exam.model.table(name)
    if table is None or not table.complete or not node.cols or exam.is_new(name):
        return
    given = {each.name for each in node.cols}
    for column in table.columns.values():
        filled = column.default or column.identity or column.generated or column.name in given
        if column.not_null and not filled and not exam.model.fills(column.type):
            exam.report("always-fails", name, lock=None,
                        detail=f"{column.name} is NOT NULL and has no default")  # fmt: skip
            return


def cannot_attach(exam: Examination, parent: Table | None, child: str) -> bool:
    """Whether a table has other columns than the one that it is to become a partition of."""
    known = exam.model.table(child)
    if parent is None or known is None or not (parent.complete and known.complete):
        return False
    for column in parent.columns.values():
        mine = known.columns.get(column.name)
        if mine is None:
            exam.report("always-fails", child, detail=f"{child} has no column {column.name}")
            return True
        if mine.type is not None and column.type is not None and mine.type != column.type:
            exam.report("always-fails", child, detail=f"{column.name} is {mine.type} in {child}, "
                        f"{column.type} in {parent.name}")  # fmt: skip
            return True
    extra = [each for each in known.columns if each not in parent.columns]
    if extra:
        exam.report("always-fails", child, detail=f"{parent.name} has no column {extra[0]}")
    return bool(extra)


def dropped_by_dependents(exam: Examination, name: str, column: str) -> list[str]:
    """What keeps a column from being dropped without CASCADE."""
    table = exam.model.table(name)
    if table is None:
        return []
    reasons = [f"the view {view} reads {column}" for view in exam.model.views_on(name, column)]
    reasons += [
        f"the generated column {other.name} is computed from {column}"
        for other in table.columns.values()
        if column in other.expression_columns
    ]
    if column in table.watched:
        reasons.append(f"a policy or a trigger names {column}")
    if column in table.partition_columns:
        reasons.append(f"the table is partitioned by {column}")
    return reasons


def indexed_columns(node: Node) -> list[str | None]:
    """The columns that CREATE INDEX names, in expressions and the predicate as well."""
    plain = [each.name for each in node.indexParams or ()]
    inside = [*(each.expr for each in node.indexParams or ()), node.whereClause]
    return [*plain, *column_names(inside)]
