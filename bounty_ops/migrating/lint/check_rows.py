"""INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY, and queries that read much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast
from pglast.enums import CmdType

from bounty_ops.migrating.lint import check_existence, reach
from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE, ROW_EXCLUSIVE, ROW_SHARE
from bounty_ops.migrating.lint.tree import below, flag, option, relation_name

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.tree import Node


def update(exam: Examination, node: Node) -> None:
    """UPDATE."""
    _changes(exam, node, "update-all-rows", sources=node.fromClause)


def delete(exam: Examination, node: Node) -> None:
    """DELETE."""
    _changes(exam, node, "delete-all-rows", sources=node.usingClause)


def _changes(exam: Examination, node: Node, everything: str, *, sources: Node) -> None:
    _inside_with(exam, node)
    name = relation_name(node.relation)
    if exam.is_new(name):
        return
    if exam.is_missing(name) and not reach.is_bookkeeping(name):
        exam.report("always-fails", name, detail=f"there is no table {name}")
        return
    if isinstance(node, ast.UpdateStmt) and check_existence.changes_unknown_columns(exam, node):
        return
    found = reach.of(exam.model, node, name, sources, born=exam.born)
    if found.kind == "few":
        return
    exam.works_long("lock-held-across-backfill")
    if found.kind == "all":
        exam.report(everything, name, lock=ROW_EXCLUSIVE)
    elif found.kind == "many":
        exam.report("rows-not-in-batches", name, detail=found.why, lock=ROW_EXCLUSIVE)
    else:
        exam.report("rows-not-in-batches", name, detail=found.why, lock=ROW_EXCLUSIVE,
                    level="advice")  # fmt: skip


def _inside_with(exam: Examination, node: Node) -> None:
    clause = getattr(node, "withClause", None)
    for each in clause.ctes or () if clause is not None else ():
        if isinstance(each.ctequery, ast.UpdateStmt):
            update(exam, each.ctequery)
        elif isinstance(each.ctequery, ast.DeleteStmt):
            delete(exam, each.ctequery)


def insert(exam: Examination, node: Node) -> None:
    """INSERT: rows that are written down are few, a query may find many."""
    _inside_with(exam, node)
    query = node.selectStmt
    if not check_existence.changes_unknown_columns(exam, node):
        check_existence.leaves_out_required(exam, node)
    if query is None or query.valuesLists:
        return
    tables = [relation_name(each) for each in below(query, ast.RangeVar)]
    read = [each for each in tables if _has_rows(exam, each) and each not in _ctes(node)]
    if read and not reach.query_is_short(exam.model, query):
        exam.filled.add(relation_name(node.relation))
        exam.works_long("lock-held-across-backfill")
        exam.report("rows-copied-at-once", relation_name(node.relation))


def _has_rows(exam: Examination, name: str) -> bool:
    return not exam.is_new(name) or name in exam.filled


def _ctes(node: Node) -> set[str]:
    return {each.ctename for each in below(node, ast.CommonTableExpr)}


def merge(exam: Examination, node: Node) -> None:
    """MERGE: it changes what its source matches."""
    name = relation_name(node.relation)
    changing = {CmdType.CMD_UPDATE, CmdType.CMD_DELETE}
    if exam.is_new(name) or not any(
        each.commandType in changing for each in node.mergeWhenClauses or ()
    ):
        return
    if not _is_short_source(exam, node.sourceRelation):
        exam.works_long("lock-held-across-backfill")
        exam.report("rows-not-in-batches", name, lock=ROW_EXCLUSIVE,
                    detail="every row that its source matches")  # fmt: skip


def _is_short_source(exam: Examination, source: Node) -> bool:
    """Whether what MERGE joins with is a few rows, written down or bounded."""
    if not isinstance(source, ast.RangeSubselect):
        return isinstance(source, ast.RangeVar) and _is_only_here(exam, relation_name(source))
    query = source.subquery
    tables = [relation_name(each) for each in below(query, ast.RangeVar)]
    if all(_is_only_here(exam, each) for each in tables):
        return True
    return reach.query_is_short(exam.model, query) or reach.is_bounded(query)


def _is_only_here(exam: Examination, name: str) -> bool:
    return exam.is_new(name) and name not in exam.filled


def truncate(exam: Examination, node: Node) -> None:
    """TRUNCATE."""
    for each in node.relations or ():
        name = relation_name(each)
        if exam.is_new(name):
            continue
        exam.take(name, ACCESS_EXCLUSIVE)
        cascades = node.behavior.name == "DROP_CASCADE"
        detail = ", and of every table that refers to it" if cascades else ""
        exam.report("truncate", name, detail=detail)


def select(exam: Examination, node: Node) -> None:
    """A query: only what is held meanwhile makes it a hazard. SELECT INTO makes a table."""
    if node.intoClause is not None:
        exam.born.add(relation_name(node.intoClause.rel))
    _inside_with(exam, node)
    tables = [relation_name(each) for each in below(node, ast.RangeVar)]
    read = [each for each in tables if not exam.is_new(each) and each not in _ctes(node)]
    if read and not reach.query_is_short(exam.model, node):
        exam.works_long("lock-held-across-scan")
        if node.lockingClause and node.limitCount is None:
            detail = "SELECT ... FOR UPDATE or SHARE locks each until COMMIT"
            exam.report("rows-not-in-batches", read[0], detail=detail, lock=ROW_SHARE)


def copy(exam: Examination, node: Node) -> None:
    """COPY."""
    if node.is_program:
        exam.report("server-program")
    elif (
        node.relation is not None
        and not node.is_from
        and not exam.is_new(relation_name(node.relation))
    ):
        exam.works_long("lock-held-across-scan")


def vacuum(exam: Examination, node: Node) -> None:
    """VACUUM and ANALYZE."""
    if not node.is_vacuumcmd:
        exam.works_long("lock-held-across-scan")
        return
    if exam.session.transaction is not None:
        exam.report("refused-in-transaction", detail="VACUUM")
    elif option(node.options, "full") is not None and flag(node.options, "full"):
        names = [relation_name(each.relation) for each in node.rels or () if each.relation]
        for name in names:
            exam.take(name, ACCESS_EXCLUSIVE)
            if not exam.is_new(name):
                exam.report("table-rewritten", name, detail="VACUUM FULL")
        if not names:
            exam.report("table-rewritten", detail="VACUUM FULL of the database", lock=None)
