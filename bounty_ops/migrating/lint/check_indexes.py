"""CREATE INDEX, DROP INDEX, REINDEX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast
from pglast.enums import DropBehavior, ReindexObjectType

from bounty_ops.migrating.lint import uniqueness
from bounty_ops.migrating.lint.check_existence import (
    indexed_columns,
    lacks_columns,
)
from bounty_ops.migrating.lint.learning_names import dropped_names
from bounty_ops.migrating.lint.operator_classes import cannot_be_indexed
from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE, SHARE
from bounty_ops.migrating.lint.stability import changing_operations
from bounty_ops.migrating.lint.tree import flag, qualified, relation_name
from bounty_ops.migrating.lint.volatility import changing_parts

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.finding import Level
    from bounty_ops.migrating.lint.schema import Index
    from bounty_ops.migrating.lint.tree import Node


def create_index(exam: Examination, node: Node) -> None:
    """CREATE INDEX."""
    name = relation_name(node.relation)
    index = qualified(node.relation.schemaname, node.idxname) if node.idxname else None
    existing = exam.model.indexes.get(index) if index else None
    if index is not None:
        exam.born.add(index)
    if exam.is_missing(name):
        exam.report("always-fails", name, detail=f"there is no table {name}")
    elif _cannot_be_made(exam, node, name):
        return
    elif node.concurrent:
        _concurrently(exam, node, name, index)
    elif existing is not None and existing.valid and node.if_not_exists:
        _is_another(exam, existing, node, name)
    elif existing is not None and not node.if_not_exists and not exam.is_new(existing.table):
        exam.report("always-fails", name, detail=f"there is an index {existing.name} already")
    elif not exam.is_new(name) and not _stops_nobody(exam, node, name):
        exam.take(name, SHARE)
        exam.report("index-blocks-writes", name, detail=_on_partitions(exam, name))
        if node.unique:
            uniqueness.keeps(exam, name, [each.name for each in node.indexParams or ()])


def _cannot_be_made(exam: Examination, node: Node, name: str) -> bool:
    if lacks_columns(exam, name, indexed_columns(node)) or cannot_be_indexed(exam, node, name):
        return True
    inside = [node.indexParams, node.whereClause]
    changing = changing_parts(exam.model, inside) + changing_operations(
        exam.model, name, inside, exam.pg_major
    )
    if changing:
        exam.report("always-fails", name,
                    detail=f"{changing[0]} is not IMMUTABLE, which an index asks for")  # fmt: skip
    return bool(changing) or _lacks_partition_key(exam, node, name)


def _lacks_partition_key(exam: Examination, node: Node, name: str) -> bool:
    table = exam.model.table(name)
    columns = {each.name for each in node.indexParams or ()}
    missing = set(table.partition_columns if table is not None else ()) - columns
    if node.unique and missing:
        exam.report("always-fails", name, detail="a unique index of a partitioned table must hold "
                    f"the columns it is partitioned by: {min(missing)} is not in it")  # fmt: skip
    return bool(node.unique and missing)


def _stops_nobody(exam: Examination, node: Node, name: str) -> bool:
    """Whether no row can be written meanwhile, or, ON ONLY a partitioned table, is looked at."""
    table = exam.model.table(name)
    if table is not None and table.kind == "materialized":
        return True  # nobody writes to it: only a refresh waits
    partitioned = table is None or not table.complete or table.kind == "partitioned"
    return not node.relation.inh and partitioned


def _on_partitions(exam: Examination, name: str) -> str:
    table = exam.model.table(name)
    count = len(table.partitions) if table is not None else 0
    return f" So it does on each of its {count} partitions." if count else ""


def _concurrently(exam: Examination, node: Node, name: str, index: str | None) -> None:
    if exam.session.transaction is not None:
        exam.report("refused-in-transaction", name, detail="CREATE INDEX CONCURRENTLY", lock=None)
        return
    table = exam.model.table(name)
    if table is not None and table.kind == "partitioned":
        exam.report("always-fails", name, detail=f"{name} is partitioned, and no index is created "
                    "on a partitioned table CONCURRENTLY")  # fmt: skip
        return
    existing = exam.model.indexes.get(index) if index else None
    if node.if_not_exists:
        if existing is not None and existing.valid:
            _is_another(exam, existing, node, name)
        if not (existing is not None and existing.valid) and f"cleared {index}" not in exam.told:
            level: Level | None = "advice" if exam.managed and existing is None else None
            exam.report("index-accepts-invalid", name, level=level,
                        detail=_state(existing is not None, index))  # fmt: skip
    elif existing is not None:
        exam.report("always-fails", name, detail=f"there is an index {existing.name} already"
                    f"{'' if existing.valid else ', an INVALID one'}")  # fmt: skip
    if node.unique:
        exam.report("index-concurrently-can-fail", name)


def _is_another(exam: Examination, existing: Index, node: Node, name: str) -> None:
    """IF NOT EXISTS looks at the name alone."""
    columns = tuple(each.name for each in node.indexParams or () if each.name)
    same_table = existing.table == name
    same = existing.columns == columns and existing.unique == bool(node.unique)
    if not same_table or (not same and not exam.is_new(name)):
        exam.report("index-is-another", name, detail=existing.name)


def _state(exists: bool, index: str | None) -> str:
    if exists:
        return f"{index} is INVALID now, and stays so."
    return "it would never be finished."


def drop_index(exam: Examination, node: Node) -> None:
    """DROP INDEX."""
    for name in dropped_names(node):
        known = exam.model.indexes.get(name)
        if exam.model.complete and known is None:
            if not node.missing_ok:
                exam.report("always-fails", detail=f"there is no index {name}")
        elif known is not None and known.constraint is not None:
            _of_a_constraint(exam, node, name, known.constraint)
        elif node.concurrent:
            exam.told.add(f"cleared {name}")
            _drop_concurrently(exam, node, name)
            uniqueness.report_loss(exam, known)
        elif name not in exam.born and not exam.is_new(known.table if known else None):
            table = known.table if known is not None else name
            exam.take(table, ACCESS_EXCLUSIVE)
            exam.report("index-drop-blocks", table)
            uniqueness.report_loss(exam, known)
    if node.concurrent and exam.session.transaction is not None:
        exam.report("refused-in-transaction", detail="DROP INDEX CONCURRENTLY")


def _of_a_constraint(exam: Examination, node: Node, name: str, constraint: str) -> None:
    if node.behavior == DropBehavior.DROP_CASCADE and not node.concurrent:
        exam.report("cascade", detail=f": here the constraint {constraint}")
    else:
        exam.report("always-fails", detail=f"the index {name} belongs to the constraint "
                    f"{constraint}; DROP CONSTRAINT drops both")  # fmt: skip


def _drop_concurrently(exam: Examination, node: Node, name: str) -> None:
    known = exam.model.indexes.get(name)
    table = exam.model.table(known.table) if known is not None else None
    if node.behavior == DropBehavior.DROP_CASCADE:
        exam.report("always-fails", detail="DROP INDEX CONCURRENTLY does not take CASCADE")
    elif len(node.objects or ()) > 1:
        exam.report("always-fails", detail="DROP INDEX CONCURRENTLY takes one index")
    elif table is not None and table.kind == "partitioned":
        exam.report("always-fails", detail=f"{name} is an index of a partitioned table, which "
                    "cannot be dropped CONCURRENTLY")  # fmt: skip
    elif name not in exam.born and (known is None or known.valid):
        exam.report("index-drop-concurrently", table.name if table else name)


_WHOLE = {
    ReindexObjectType.REINDEX_OBJECT_SCHEMA: "REINDEX SCHEMA",
    ReindexObjectType.REINDEX_OBJECT_DATABASE: "REINDEX DATABASE",
    ReindexObjectType.REINDEX_OBJECT_SYSTEM: "REINDEX SYSTEM",
}


def _is_missing(exam: Examination, node: Node) -> bool:
    name = relation_name(node.relation)
    of_index = node.kind == ReindexObjectType.REINDEX_OBJECT_INDEX
    known = exam.model.indexes if of_index else exam.model.tables
    return exam.model.complete and name not in known and not exam.is_new(name)


def reindex(exam: Examination, node: Node) -> None:
    """REINDEX."""
    concurrent = flag(node.params, "concurrently")
    whole = _WHOLE.get(node.kind)
    inside = exam.session.transaction is not None
    if inside and (concurrent or whole):
        exam.report("refused-in-transaction", detail=whole or "REINDEX CONCURRENTLY")
        return
    if whole is None and _is_missing(exam, node):
        exam.report("always-fails", detail=f"there is no {relation_name(node.relation)}")
        return
    if concurrent:
        return
    if whole:
        exam.report("reindex-blocks", detail=whole)
        return
    name = relation_name(node.relation)
    if exam.is_new(name):
        return
    known = exam.model.indexes.get(name)
    table = known.table if known is not None else name
    exam.take(table, SHARE)
    of_unknown_table = known is None and node.kind == ReindexObjectType.REINDEX_OBJECT_INDEX
    # The table is locked against writes, the index itself against everything.
    exam.report("reindex-blocks", table, lock=ACCESS_EXCLUSIVE if of_unknown_table else SHARE)


INDEX_CHECKS = {ast.IndexStmt: create_index, ast.ReindexStmt: reindex}
