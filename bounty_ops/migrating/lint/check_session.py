"""BEGIN, COMMIT, SET, LOCK TABLE, and what takes a whole relation or the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import DiscardMode, TransactionStmtKind, VariableSetKind

from bounty_ops.migrating.lint.check_names import lacks_sequence
from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE
from bounty_ops.migrating.lint.tree import below, option, relation_name, source_text, truth

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.tree import Node

_BEGINS: Final = frozenset({
    TransactionStmtKind.TRANS_STMT_BEGIN, TransactionStmtKind.TRANS_STMT_START,
})  # fmt: skip
_COMMITS: Final = frozenset({TransactionStmtKind.TRANS_STMT_COMMIT})
_ROLLS_BACK: Final = frozenset({TransactionStmtKind.TRANS_STMT_ROLLBACK})
_LOCAL_MATTERS: Final = frozenset({"lock_timeout", "statement_timeout"})
_MODES: Final = (
    "", "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE",
    "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE",
)  # fmt: skip
_BLOCKING: Final = 5


def transaction(exam: Examination, node: Node) -> None:
    """BEGIN, COMMIT, ROLLBACK and their relatives."""
    inside = exam.session.transaction is not None
    if node.kind in _BEGINS:
        if inside:
            exam.report("transaction-nested", detail="BEGIN inside a transaction")
        else:
            exam.session.begin(exam.line, exam.statement.number)
        return
    if node.kind == TransactionStmtKind.TRANS_STMT_PREPARE:
        exam.report("transaction-prepared")
    elif node.kind in _COMMITS | _ROLLS_BACK:
        if not inside:
            exam.report("transaction-nested", detail="The end of a transaction that never began")
    else:
        _savepoint(exam, node)
        return
    exam.promises.clear()
    exam.session.end(rolled_back=node.kind in _ROLLS_BACK)
    if node.chain and inside:
        exam.session.begin(exam.line, exam.statement.number)


def _savepoint(exam: Examination, node: Node) -> None:
    if node.kind == TransactionStmtKind.TRANS_STMT_SAVEPOINT:
        exam.session.savepoint(node.savepoint_name)
    elif node.kind == TransactionStmtKind.TRANS_STMT_ROLLBACK_TO:
        exam.session.back_to(node.savepoint_name)


def discard(exam: Examination, node: Node) -> None:
    """DISCARD ALL resets every setting."""
    if node.target == DiscardMode.DISCARD_ALL:
        exam.session.settings.clear()
        if exam.session.transaction is not None:
            exam.report("refused-in-transaction", detail="DISCARD ALL")


def set_variable(exam: Examination, node: Node) -> None:
    """SET and RESET."""
    name = (node.name or "").lower()
    if node.kind == VariableSetKind.VAR_RESET_ALL:
        exam.session.settings.clear()
        return
    if node.kind in {VariableSetKind.VAR_RESET, VariableSetKind.VAR_SET_DEFAULT}:
        exam.session.set(name, None, local=bool(node.is_local))
        return
    values = [_value(each) for each in node.args or ()]
    setting(exam, name, ", ".join(values), local=bool(node.is_local))


def _value(node: Node) -> str:
    if isinstance(node, ast.TypeCast):
        node = node.arg
    if isinstance(node, ast.A_Const) and isinstance(node.val, ast.String):
        return str(node.val.sval)
    return source_text(node)


def setting(exam: Examination, name: str, value: str, *, local: bool) -> None:
    """What SET and `set_config` have in common."""
    if local and exam.session.transaction is None:
        level = None if name in _LOCAL_MATTERS else "advice"
        exam.report("set-local-without-effect", detail=name, level=level)  # type: ignore[arg-type] # one of the levels
        return
    exam.session.set(name, value, local=local)
    if name == "session_replication_role" and value.lower() != "origin":
        exam.report("enforcement-off", lock=None,
                    detail=f"session_replication_role = {value} switches off triggers and foreign "
                    "keys")  # fmt: skip


def lock_table(exam: Examination, node: Node) -> None:
    """LOCK TABLE."""
    if exam.session.transaction is None:
        exam.report("refused-outside-transaction", detail="LOCK TABLE")
        return
    mode = _MODES[node.mode] if 0 < node.mode < len(_MODES) else ACCESS_EXCLUSIVE
    for each in node.relations or ():
        name = relation_name(each)
        exam.take(name, mode)
        if node.mode >= _BLOCKING and not exam.is_new(name):
            exam.report("lock-table", name, lock=mode)


def cluster(exam: Examination, node: Node) -> None:
    """CLUSTER."""
    name = relation_name(node.relation) if node.relation is not None else None
    if exam.is_new(name):
        return
    if name is None and exam.session.transaction is not None:
        exam.report("refused-in-transaction", detail="CLUSTER of all tables")
        return
    exam.take(name, ACCESS_EXCLUSIVE)
    exam.report("table-rewritten", name, detail="CLUSTER")


def refresh(exam: Examination, node: Node) -> None:
    """REFRESH MATERIALIZED VIEW."""
    name = relation_name(node.relation)
    if exam.is_new(name):
        return
    if not node.concurrent:
        exam.take(name, ACCESS_EXCLUSIVE)
        exam.report("refresh-empties" if node.skipData else "refresh-blocks", name)
        return
    exam.works_long("lock-held-across-scan")
    if node.skipData:
        exam.report("always-fails", name, lock=None,
                    detail="CONCURRENTLY and WITH NO DATA exclude each other")  # fmt: skip
    table = exam.model.table(name)
    if table is None or not (exam.model.complete or table.kind in {"materialized", "view"}):
        return
    if table.kind != "materialized":
        exam.report("always-fails", name, detail=f"{name} is no materialized view", lock=None)
    elif not any(
        each.unique and each.valid and not each.partial and not each.expressions
        for each in exam.model.indexes_on(name)
    ):
        exam.report("always-fails", name, lock=None,
                    detail=f"{name} has no unique index, which CONCURRENTLY needs")  # fmt: skip
    elif not table.populated:
        exam.report("always-fails", name, lock=None,
                    detail=f"{name} is not populated, and CONCURRENTLY needs that")  # fmt: skip


_ALONE: Final = {
    ast.CreatedbStmt: "CREATE DATABASE",
    ast.DropdbStmt: "DROP DATABASE",
    ast.CreateTableSpaceStmt: "CREATE TABLESPACE",
    ast.DropTableSpaceStmt: "DROP TABLESPACE",
    ast.AlterSystemStmt: "ALTER SYSTEM",
}
_DANGEROUS: Final = frozenset({
    "fsync", "full_page_writes", "synchronous_commit", "zero_damaged_pages", "autovacuum",
    "ignore_checksum_failure", "wal_level", "max_wal_senders", "row_security",
})  # fmt: skip


def alone(exam: Examination, node: Node) -> None:
    """Statements that never run inside a transaction block."""
    if exam.session.transaction is not None:
        exam.report("refused-in-transaction", detail=_ALONE[type(node)])
    name = node.setstmt.name if type(node) is ast.AlterSystemStmt and node.setstmt else None
    if name in _DANGEROUS:
        exam.report("server-setting", detail=f"ALTER SYSTEM SET {name} changes the "
                    "whole server.")  # fmt: skip


def subscription(exam: Examination, node: Node) -> None:
    """CREATE SUBSCRIPTION makes a slot on the other server, which no rollback takes back."""
    slot = option(node.options, "create_slot") or option(node.options, "connect")
    if exam.session.transaction is not None and (slot is None or truth(slot.arg)):
        exam.report("refused-in-transaction", detail="CREATE SUBSCRIPTION with a slot")


def alter_sequence(exam: Examination, node: Node) -> None:
    """ALTER SEQUENCE ... RESTART without a number, or with the first of all."""
    if lacks_sequence(exam, node):
        return
    if not exam.is_new(relation_name(node.sequence)) and starts_over(node.options):
        exam.report("sequence-restarted")


def starts_over(options: Node) -> bool:
    """Whether RESTART goes back to where a sequence begins."""
    found = option(options, "restart")
    if found is None:
        return False
    number = found.arg.ival if isinstance(found.arg, ast.Integer) else None
    return found.arg is None or (number is not None and number <= 1)


def new_labels_used(exam: Examination, node: Node) -> None:
    """Whether a statement uses a label that its transaction has just added to an enum."""
    transaction = exam.session.transaction
    if transaction is None or not transaction.new_labels or isinstance(node, _NOT_A_USE):
        return
    for each in below(node, ast.A_Const):
        label = each.val.sval if isinstance(each.val, ast.String) else None
        if label in transaction.new_labels:
            exam.report("enum-value-used-at-once",
                        detail=f"{label} of {transaction.new_labels.pop(label)}")  # fmt: skip
            return


_NOT_A_USE: Final = (
    ast.AlterEnumStmt, ast.CommentStmt, ast.CreateFunctionStmt, ast.VariableSetStmt, ast.DoStmt,
)  # fmt: skip
