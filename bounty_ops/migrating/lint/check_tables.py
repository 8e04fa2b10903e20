"""ALTER TABLE and its relatives: each subcommand to its check; and CREATE TABLE."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import AlterTableType, CmdType, ObjectType

from bounty_ops.migrating.lint import (
    check_columns,
    check_constraints,
    check_existence,
    check_names,
    check_partitions,
    check_table_settings,
    check_types,
)
from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE
from bounty_ops.migrating.lint.tree import below, last_name, relation_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.schema import Table
    from bounty_ops.migrating.lint.tree import Node

_COMMANDS: Final[dict[AlterTableType, Callable[[Examination, str, Node], None]]] = {
    **check_columns.COMMANDS,
    **check_types.COMMANDS,
    **check_constraints.COMMANDS,
    **check_partitions.COMMANDS,
    **check_table_settings.COMMANDS,
}
_WITH_ROWS: Final = frozenset({ObjectType.OBJECT_TABLE, ObjectType.OBJECT_MATVIEW})


def alter_table(exam: Examination, node: Node) -> None:
    """ALTER TABLE, also by other names: ALTER INDEX, VIEW, SEQUENCE, TYPE share its grammar."""
    name = relation_name(node.relation)
    if node.objtype == ObjectType.OBJECT_TYPE:
        _alter_composite(exam, name, node)
        return
    if node.objtype == ObjectType.OBJECT_INDEX or name in exam.model.indexes:
        check_table_settings.alter_index(exam, name, node)
        return
    if exam.is_new(name):
        _new_refers(exam, name, node)
        return
    if node.objtype not in _WITH_ROWS:
        return
    if exam.is_missing(name):
        if not node.missing_ok:
            exam.report("always-fails", name, detail=f"there is no table {name}")
        return
    exam.dropping = {
        each.name for each in node.cmds or () if each.subtype == AlterTableType.AT_DropConstraint
    }
    for command in node.cmds or ():
        check = _COMMANDS.get(command.subtype)
        if not check_existence.refuses_command(exam, name, node, command) and check is not None:
            check(exam, name, command)
    _validates_beside_others(exam, name, node)


def _new_refers(exam: Examination, name: str, node: Node) -> None:
    """Nobody uses a new table, but what it refers to is locked while its rows are looked up."""
    for command in node.cmds or ():
        constraint = command.def_ if isinstance(command.def_, ast.Constraint) else None
        if constraint is None or constraint.pktable is None:
            continue
        target = relation_name(constraint.pktable)
        exam.take(target, SHARE_ROW_EXCLUSIVE, counted=False)
        if name in exam.filled and not constraint.skip_validation and not exam.is_new(target):
            exam.report("foreign-key-scans", name, detail=target)


_WEAK: Final = frozenset({
    AlterTableType.AT_ValidateConstraint, AlterTableType.AT_SetStatistics,
    AlterTableType.AT_SetOptions, AlterTableType.AT_ResetOptions,
    AlterTableType.AT_SetRelOptions, AlterTableType.AT_ResetRelOptions,
    AlterTableType.AT_ClusterOn, AlterTableType.AT_DropCluster,
})  # fmt: skip
"""What takes no more than SHARE UPDATE EXCLUSIVE."""


def _validates_beside_others(exam: Examination, name: str, node: Node) -> None:
    kinds = [each.subtype for each in node.cmds or ()]
    if AlterTableType.AT_ValidateConstraint in kinds and not set(kinds) <= _WEAK:
        exam.report("validation-under-lock", name, detail="all of it is one statement")


def _alter_composite(exam: Examination, name: str, node: Node) -> None:
    for command in node.cmds or ():
        if command.subtype == AlterTableType.AT_DropColumn and not exam.is_new(name):
            exam.report("column-dropped", name, detail=command.name, lock=None)
        elif command.subtype == AlterTableType.AT_AlterColumnType and not exam.is_new(name):
            exam.report(
                "rename-breaks-clients",
                name,
                lock=None,
                detail=f"the attribute {command.name} of {name} gets another type",
            )


def create_table(exam: Examination, node: Node) -> None:
    """CREATE TABLE: nobody uses it yet, but what it refers to is used."""
    name = relation_name(node.relation)
    if name in exam.model.tables and not exam.is_new(name):
        if not node.if_not_exists:
            exam.report("always-fails", name, detail=f"{name} exists already")
        return
    exam.born.add(name)
    if node.partbound is not None:
        check_partitions.partition_created(exam, node)
    for each in below(node.tableElts, ast.Constraint):
        if each.pktable is not None:
            exam.take(relation_name(each.pktable), SHARE_ROW_EXCLUSIVE, counted=False)
            check_constraints.cannot_refer(exam, name, each, (), {})


def create_table_as(exam: Examination, node: Node) -> None:
    """CREATE TABLE AS and CREATE MATERIALIZED VIEW: a query over other tables."""
    name = relation_name(node.into.rel)
    if name in exam.model.tables and not exam.is_new(name) and not node.if_not_exists:
        exam.report("always-fails", name, detail=f"{name} exists already", lock=None)
        return
    if name not in exam.model.tables:
        exam.born.add(name)
        exam.filled.add(name)
    if any(not exam.is_new(relation_name(each)) for each in below(node.query, ast.RangeVar)):
        exam.works_long("lock-held-across-scan")


def create_view(exam: Examination, node: Node) -> None:
    """CREATE VIEW; it may make a rename or a drop in the same transaction good."""
    name = relation_name(node.view)
    exam.fulfil(f"relation {name}")
    known = exam.model.table(name)
    if known is None:
        exam.born.add(name)
    elif exam.is_new(name):
        return
    elif not node.replace:
        exam.report("always-fails", name, detail=f"{name} exists already", lock=None)
    elif _loses_columns(known, node.query):
        exam.report("always-fails", name, lock=None, detail="CREATE OR REPLACE VIEW can neither "
                    "drop nor rename nor move columns")  # fmt: skip


def _loses_columns(known: Table, query: Node) -> bool:
    targets = query.targetList or ()
    if not known.columns or not targets or any(True for _ in below(targets, ast.A_Star)):
        return False
    names = [each.name or last_name(each.val) for each in targets]
    return any(
        new is not None and new != old
        for old, new in zip_longest(known.columns, names[: len(known.columns)], fillvalue="")
    )


def create_rule(exam: Examination, node: Node) -> None:
    """CREATE RULE: a brief lock, but INSTEAD takes the place of what the application says."""
    name = relation_name(node.relation)
    exam.take(name, ACCESS_EXCLUSIVE)
    known = exam.model.table(name)
    is_view = node.event == CmdType.CMD_SELECT or (known is not None and known.kind == "view")
    if node.instead and node.whereClause is None and not is_view and not exam.is_new(name):
        exam.report("statement-replaced", name)


def create_trigger(exam: Examination, node: Node) -> None:
    """CREATE TRIGGER: a brief lock."""
    if not check_names.cannot_be_trigger(exam, node):
        exam.take(relation_name(node.relation), SHARE_ROW_EXCLUSIVE)


def create_policy(exam: Examination, node: Node) -> None:
    """CREATE POLICY: it may be the one that ENABLE ROW LEVEL SECURITY waited for."""
    name = relation_name(node.table)
    exam.take(name, ACCESS_EXCLUSIVE)
    exam.fulfil(f"policy {name}")
    table = exam.model.table(name)
    roles = node.roles or ()
    public = not roles or any(each.roletype.name == "ROLESPEC_PUBLIC" for each in roles)
    opens = isinstance(node.qual, ast.A_Const) and node.permissive is not False and public
    beside = table is None or not table.complete or (table.row_security and bool(table.policies))
    if opens and beside and name not in exam.outlook.secures and not exam.is_new(name):
        exam.report("policy-opens-table", name, detail=node.policy_name)
