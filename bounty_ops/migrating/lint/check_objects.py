"""DROP, RENAME, SET SCHEMA, enums and domains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import ConstrType, DropBehavior, ObjectType

from bounty_ops.migrating.lint import check_existence
from bounty_ops.migrating.lint.check_indexes import drop_index
from bounty_ops.migrating.lint.check_names import (
    missing_routine,
    missing_trigger,
    trigger_names,
)
from bounty_ops.migrating.lint.learning_names import RELATIONS, dropped_names
from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE
from bounty_ops.migrating.lint.tree import dotted, qualified, relation_name

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.tree import Node

_TABLES: Final = frozenset({ObjectType.OBJECT_TABLE, ObjectType.OBJECT_FOREIGN_TABLE})
_ROUTINES: Final = {
    ObjectType.OBJECT_FUNCTION: "function",
    ObjectType.OBJECT_PROCEDURE: "procedure",
    ObjectType.OBJECT_ROUTINE: "routine",
    ObjectType.OBJECT_AGGREGATE: "aggregate",
}
_USED: Final = {
    **_ROUTINES,
    ObjectType.OBJECT_VIEW: "view",
    ObjectType.OBJECT_MATVIEW: "materialized view",
    ObjectType.OBJECT_SEQUENCE: "sequence",
    ObjectType.OBJECT_EXTENSION: "extension",
    ObjectType.OBJECT_OPERATOR: "operator",
    ObjectType.OBJECT_CAST: "cast",
    ObjectType.OBJECT_FOREIGN_SERVER: "server",
    ObjectType.OBJECT_FDW: "foreign-data wrapper",
}
_TYPES: Final = {ObjectType.OBJECT_TYPE: "type", ObjectType.OBJECT_DOMAIN: "domain"}


def drop(exam: Examination, node: Node) -> None:
    """DROP of anything."""
    kind = node.removeType
    if kind == ObjectType.OBJECT_INDEX:
        drop_index(exam, node)
        return
    names = [each for each in dropped_names(node) if not _is_new(exam, kind, each)]
    if kind in RELATIONS or kind == ObjectType.OBJECT_SEQUENCE:
        names = _existing(exam, node, names)
    elif kind in _ROUTINES:
        names = _existing_routines(exam, node)
    if kind in _TABLES:
        for name in names:
            _drop_table(exam, node, name)
    elif kind in _USED:
        _drop_used(exam, node, names)
    elif kind in _TYPES:
        _drop_type(exam, node, names)
    elif kind in {ObjectType.OBJECT_TRIGGER, ObjectType.OBJECT_RULE, ObjectType.OBJECT_POLICY}:
        _drop_from_table(exam, node)
    elif kind == ObjectType.OBJECT_PUBLICATION:
        exam.report("publication-shrinks", detail=f"DROP PUBLICATION {names[0] if names else ''}")
    _drop_dependents(exam, node, names)


_BESIDE_TABLES: Final = frozenset({
    ObjectType.OBJECT_TRIGGER, ObjectType.OBJECT_RULE, ObjectType.OBJECT_POLICY,
})  # fmt: skip


def _drop_dependents(exam: Examination, node: Node, names: list[str]) -> None:
    if node.behavior != DropBehavior.DROP_CASCADE:
        whole = node.removeType == ObjectType.OBJECT_SCHEMA
        check_existence.drop_schema(exam, names if whole else [])
    elif names and node.removeType not in _BESIDE_TABLES:
        exam.report("cascade", names[0], lock=None)


def _is_new(exam: Examination, kind: ObjectType, name: str) -> bool:
    if kind in _ROUTINES:
        return exam.is_new(f"{name}()")
    return exam.is_new(name)


def _existing(exam: Examination, node: Node, names: list[str]) -> list[str]:
    if node.removeType == ObjectType.OBJECT_SEQUENCE:
        known = exam.model.sequences
        missing = [each for each in names if exam.model.complete and each not in known]
    else:
        missing = [each for each in names if exam.is_missing(each)]
    if missing and not node.missing_ok:
        exam.report("always-fails", detail=f"{missing[0]} does not exist", lock=None)
    return [each for each in names if each not in missing]


def _existing_routines(exam: Examination, node: Node) -> list[str]:
    names = []
    for each in node.objects or ():
        name = dotted(each.objname)
        why = missing_routine(exam, each)
        if exam.is_new(f"{name}()"):
            continue
        if not why:
            names.append(name)
        elif not node.missing_ok:
            exam.report("always-fails", detail=why)
    return names


def _drop_table(exam: Examination, node: Node, name: str) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    cascades = node.behavior == DropBehavior.DROP_CASCADE
    reasons = [f"the view {view} reads it" for view in exam.model.views_on(name)]
    reasons += [
        f"a foreign key of {other} refers to it"
        for other, _ in exam.model.references_to(name)
        if other not in dropped_names(node)
    ]
    if reasons and not cascades:
        exam.report("always-fails", name, detail=f"{name} cannot be dropped, {reasons[0]}")
    exam.report("table-dropped", name)


def _drop_used(exam: Examination, node: Node, names: list[str]) -> None:
    routine = node.removeType in _ROUTINES
    for name in names:
        key = f"routine {name}" if routine else exam.replacement_of(name)
        exam.report("object-dropped", name, detail=f"the {_USED[node.removeType]} {name}",
                    lock=None if routine else ACCESS_EXCLUSIVE, unless=key)  # fmt: skip


def _drop_type(exam: Examination, node: Node, names: list[str]) -> None:
    for name in names:
        users = [
            f"{table.name}.{column.name}"
            for table in exam.model.tables.values()
            for column in table.columns.values()
            if column.type is not None and column.type.name == name
        ]
        if users and node.behavior != DropBehavior.DROP_CASCADE:
            exam.report("always-fails", detail=f"the column {users[0]} is of type {name}")
        else:
            exam.report("type-dropped", detail=f"the {_TYPES[node.removeType]} {name}")


def _drop_from_table(exam: Examination, node: Node) -> None:
    for table, name in trigger_names(node):
        if exam.is_new(table):
            continue
        of_trigger = node.removeType == ObjectType.OBJECT_TRIGGER
        if of_trigger and not node.missing_ok and missing_trigger(exam, table, name):
            continue
        exam.take(table, ACCESS_EXCLUSIVE)
        if node.removeType == ObjectType.OBJECT_POLICY:
            exam.report("policy-dropped", table, detail=name, unless=f"policy {table}")


_NAMED_BY_CLIENTS: Final = {
    ObjectType.OBJECT_TABLE: "the table",
    ObjectType.OBJECT_VIEW: "the view",
    ObjectType.OBJECT_MATVIEW: "the materialized view",
    ObjectType.OBJECT_FOREIGN_TABLE: "the foreign table",
    ObjectType.OBJECT_COLUMN: "the column",
    ObjectType.OBJECT_ATTRIBUTE: "the attribute",
    ObjectType.OBJECT_SEQUENCE: "the sequence",
    ObjectType.OBJECT_FUNCTION: "the function",
    ObjectType.OBJECT_PROCEDURE: "the procedure",
    ObjectType.OBJECT_ROUTINE: "the routine",
    ObjectType.OBJECT_SCHEMA: "the schema",
    ObjectType.OBJECT_DATABASE: "the database",
    ObjectType.OBJECT_ROLE: "the role",
    ObjectType.OBJECT_TYPE: "the type",
    ObjectType.OBJECT_DOMAIN: "the domain",
}
"""Indexes, constraints, triggers, policies: no application calls them by their names."""


def rename(exam: Examination, node: Node) -> None:
    """ALTER ... RENAME."""
    kind = node.renameType
    relation = relation_name(node.relation) if node.relation is not None else None
    if kind == ObjectType.OBJECT_INDEX or relation in exam.model.indexes:
        return
    if kind not in _NAMED_BY_CLIENTS:
        locking = {ObjectType.OBJECT_TABCONSTRAINT, ObjectType.OBJECT_TRIGGER,
                   ObjectType.OBJECT_POLICY}  # fmt: skip
        exam.take(relation if kind in locking else None, ACCESS_EXCLUSIVE)
        table = exam.model.table(relation) if relation is not None else None
        of_table = kind == ObjectType.OBJECT_TABCONSTRAINT and exam.model.complete
        if of_table and table is not None and node.subname not in table.constraints:
            exam.report("always-fails", detail=f"there is no constraint {node.subname}")
        return
    old = node.subname or relation or _renamed_object(node.object)
    if exam.is_new(relation or old) or exam.is_new(f"{old}()"):
        exam.born.add(_new_name(relation or old, node.newname))
        return
    if (relation, node.subname) in exam.born_columns:
        exam.born_columns.add((relation or "", node.newname))
        return
    exam.take(relation, ACCESS_EXCLUSIVE)
    what = f"{_NAMED_BY_CLIENTS[kind]} {old} becomes {node.newname}"
    whole = relation is not None and kind in RELATIONS
    exam.report("rename-breaks-clients", relation or old, detail=what,
                lock=ACCESS_EXCLUSIVE if relation else None,
                unless=exam.replacement_of(relation) if relation and whole else None)  # fmt: skip


def _new_name(old: str, new: str) -> str:
    return qualified(old.rpartition(".")[0], new)


def _renamed_object(node: Node) -> str:
    if isinstance(node, ast.ObjectWithArgs):
        return dotted(node.objname)
    if isinstance(node, ast.String):
        return str(node.sval)
    return dotted(node) if node is not None else ""


def set_schema(exam: Examination, node: Node) -> None:
    """ALTER ... SET SCHEMA."""
    relation = relation_name(node.relation) if node.relation is not None else None
    name = relation or _renamed_object(node.object)
    if exam.is_new(name) or exam.is_new(f"{name}()"):
        return
    exam.take(relation, ACCESS_EXCLUSIVE)
    if node.objectType != ObjectType.OBJECT_EXTENSION:
        exam.report(
            "schema-move-breaks-clients",
            relation or name,
            detail=name,
            lock=ACCESS_EXCLUSIVE if relation else None,
            unless=exam.replacement_of(relation or name),
        )


_NEW_TYPES_NEW_LABELS: Final = 17
"""Before, a label added to a type of the same transaction could not be used in it either."""


def alter_enum(exam: Examination, node: Node) -> None:
    """ALTER TYPE ... ADD VALUE and RENAME VALUE."""
    name = dotted(node.typeName)
    labels = exam.model.enums.get(name)
    if exam.is_new(name):
        if exam.pg_major < _NEW_TYPES_NEW_LABELS and exam.session.transaction is not None:
            exam.session.transaction.new_labels[node.newVal] = name
        return
    if labels is None and exam.model.type_names and not check_existence.is_type(exam, name):
        exam.report("always-fails", detail=f"there is no type {name}")
        return
    if node.oldVal:
        if labels is not None and node.oldVal not in labels:
            exam.report("always-fails", detail=f"{name} has no label {node.oldVal}")
        else:
            exam.report("enum-value-renamed", detail=f"{node.oldVal} of {name} becomes "
                        f"{node.newVal}")  # fmt: skip
        return
    is_there = (name, node.newVal) in exam.model.some_labels
    if is_there or (labels is not None and node.newVal in labels):
        if not node.skipIfNewValExists:
            exam.report("always-fails", detail=f"{name} has a label {node.newVal} already")
        return
    if labels is not None and node.newValNeighbor and node.newValNeighbor not in labels:
        exam.report("always-fails", detail=f"{name} has no label {node.newValNeighbor}")
        return
    exam.report("enum-value-stays")
    if exam.session.transaction is not None:
        exam.session.transaction.new_labels[node.newVal] = name


def alter_domain(exam: Examination, node: Node) -> None:
    """ALTER DOMAIN: what it demands is looked up in every table that uses it."""
    name = dotted(node.typeName)
    if exam.is_new(name) or not _is_used(exam, name):
        return
    if node.subtype == "C" and not node.def_.skip_validation:
        what = "NOT NULL" if node.def_.contype == ConstrType.CONSTR_NOTNULL else "CHECK"
        exam.report("domain-scans", detail=f"{name} ADD {what}")
    elif node.subtype == "O":
        exam.report("domain-scans", detail=f"{name} SET NOT NULL")
    elif node.subtype == "V":
        exam.report("domain-scans", detail=f"{name} VALIDATE CONSTRAINT")


def _is_used(exam: Examination, domain: str) -> bool:
    """Whether a table has a column of the domain; where nothing says so, one has."""
    uses = any(
        column.type is not None and column.type.name == domain
        for table in exam.model.tables.values()
        if not exam.is_new(table.name)
        for column in table.columns.values()
    )
    return uses or not exam.model.complete
