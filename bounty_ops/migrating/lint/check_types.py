"""ALTER COLUMN ... TYPE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import AlterTableType

from bounty_ops.migrating.lint import check_existence
from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE
from bounty_ops.migrating.lint.sqltypes import Change, change, guess, read_type
from bounty_ops.migrating.lint.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.schema import Column, Table
    from bounty_ops.migrating.lint.sqltypes import SqlType
    from bounty_ops.migrating.lint.tree import Node

_UTC: Final = frozenset({"utc", "etc/utc", "gmt", "0", "z", "zulu", "universal", "uct"})


def _change_type(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    new = read_type(command.def_.typeName)
    if new is None or check_existence.lacks_type(exam, name, command.def_):
        return
    table = exam.model.table(name)
    column = table.columns.get(command.name) if table else None
    if table is not None and column is not None and _refuses(exam, table, column):
        return
    if table is not None and table.complete and column is None:
        exam.report("always-fails", name, detail=f"{name} has no column {command.name}")
        return
    kept = _keeps_the_values(command.def_.raw_default, command.name, new)
    old = column.type if column is not None else None
    if not kept:
        exam.report("type-rewrites-table", name, detail=f"{command.name} is computed by USING")
    elif old is None or table is None or column is None:
        _without_the_old_type(exam, name, command, new)
    else:
        _judge(exam, table, column, new)
        _judge_collation(exam, table, column, command, old, new)


def _keeps_the_values(using: Node, column: str, new: SqlType) -> bool:
    """Whether USING says no more than the conversion that would happen anyway."""
    if isinstance(using, ast.TypeCast) and read_type(using.typeName) == new:
        using = using.arg
    if using is None:
        return True
    return isinstance(using, ast.ColumnRef) and last_name(using) == column


def _refuses(exam: Examination, table: Table, column: Column) -> bool:
    """What depends on the column so that PostgreSQL refuses whatever the type is."""
    reasons = [f"the view {view} reads it" for view in exam.model.views_on(table.name, column.name)]
    reasons += [
        f"the generated column {other.name} is computed from it"
        for other in table.columns.values()
        if column.name in other.expression_columns
    ]
    if column.name in table.watched:
        reasons.append("a trigger or a policy names it")
    if column.name in table.partition_columns:
        reasons.append("the table is partitioned by it")
    if reasons:
        exam.report("always-fails", table.name,
                    detail=f"the type of {column.name} cannot change, {reasons[0]}")  # fmt: skip
    return bool(reasons)


def _without_the_old_type(exam: Examination, name: str, command: Node, new: SqlType) -> None:
    if exam.model.domain_checks(new):
        exam.report("type-rewrites-table", name, detail=f"{command.name}: {new} checks each value")
    elif new.name in {"timestamp", "timestamptz"} and not new.array:
        if not _session_is_utc(exam):
            exam.report("type-changes-time-zone", name, detail=f"{command.name}: {new}")
    elif command.def_.collClause is not None:
        exam.report("collation-rebuilds-index", name, detail=command.name)
    else:
        probable = guess(exam.model.base_type(new) or new)
        rule = "type-may-rewrite" if probable.free else "type-rewrites-table"
        detail = probable.reason if probable.free else f"{command.name}: {new}, {probable.reason}"
        exam.report(rule, name, detail=detail)


def _judge(exam: Examination, table: Table, column: Column, new: SqlType) -> None:
    old = exam.model.base_type(column.type)
    base = exam.model.base_type(new)
    if old is None or base is None:
        return
    what = f"{column.name}: {column.type} to {new}"
    if column.generated == "virtual":
        cost = Change.NOTHING
    elif new != column.type and (exam.model.domain_checks(new) or _shed(column.type, old, base)):
        cost = Change.REWRITE
    else:
        cost = change(old, base)
    if cost is Change.REWRITE:
        exam.report("type-rewrites-table", table.name, detail=what)
    elif cost is Change.ZONE and not _session_is_utc(exam):
        exam.report("type-changes-time-zone", table.name, detail=what)
    else:
        _what_is_done_again(exam, table, column, rebuilt=cost is not Change.NOTHING)


def _shed(declared: SqlType | None, old: SqlType, new: SqlType) -> bool:
    """Whether a domain becomes a type with a length, which the domain's own does not prove."""
    return declared != old and bool(new.modifiers)


def _session_is_utc(exam: Examination) -> bool:
    return (exam.session.get("timezone") or "").lower() in _UTC


def _what_is_done_again(exam: Examination, table: Table, column: Column, *, rebuilt: bool) -> None:
    """Rows that stay: but an index with a predicate is never kept, and a check is proved anew."""
    indexes = [
        each.name
        for each in exam.model.indexes_on(table.name)
        if column.name in each.depends_on
        and (rebuilt or each.partial or each.expressions or not each.valid)
    ]
    if indexes:
        exam.report("type-rebuilds-index", table.name, detail=f"the index {indexes[0]} is")
    checks = [
        each.name
        for each in table.constraints.values()
        if each.kind == "check" and column.name in each.columns and each.valid
    ]
    if checks:
        exam.report("type-rechecks-rows", table.name, detail=checks[0])


def _judge_collation(  # noqa: PLR0917 - the two types belong to what is asked
    exam: Examination, table: Table, column: Column, command: Node, old: SqlType, new: SqlType
) -> None:
    if command.def_.collClause is None or change(old, new) is Change.REWRITE:
        return
    if any(column.name in each.depends_on for each in exam.model.indexes_on(table.name)):
        exam.report("collation-rebuilds-index", table.name, detail=column.name)


COMMANDS: Final[dict[AlterTableType, Callable[[Examination, str, Node], None]]] = {
    AlterTableType.AT_AlterColumnType: _change_type,
}
