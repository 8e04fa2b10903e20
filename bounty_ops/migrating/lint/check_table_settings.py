"""ALTER TABLE where it changes neither columns nor constraints, and ALTER INDEX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast.enums import AlterTableType

from bounty_ops.migrating.lint.check_names import missing_trigger
from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE
from bounty_ops.migrating.lint.tree import option, truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.tree import Node

    Check = Callable[[Examination, str, Node], None]


def _brief(exam: Examination, name: str, _command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)


def _rewritten(what: str) -> Check:
    def check(exam: Examination, name: str, _command: Node) -> None:
        exam.take(name, ACCESS_EXCLUSIVE)
        exam.report("table-rewritten", name, detail=what)

    return check


def _logged(exam: Examination, name: str, _command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    table = exam.model.table(name)
    if table is None or not table.complete or table.unlogged:
        exam.report("table-rewritten", name, detail="SET LOGGED")


def _unlogged(exam: Examination, name: str, _command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    table = exam.model.table(name)
    if table is None or not table.unlogged:
        exam.report("unlogged", name)


def _trigger(what: str, *, off: bool) -> Check:
    def check(exam: Examination, name: str, command: Node) -> None:
        if command.name and missing_trigger(exam, name, command.name):
            return
        exam.take(name, SHARE_ROW_EXCLUSIVE)
        if off:
            detail = f"{what} {command.name or ''}".strip()
            exam.report("enforcement-off", name, detail=detail)

    return check


def _rule(what: str) -> Check:
    def check(exam: Examination, name: str, command: Node) -> None:
        exam.take(name, ACCESS_EXCLUSIVE)
        exam.report("enforcement-off", name, detail=f"{what} {command.name}", lock=ACCESS_EXCLUSIVE)

    return check


def _row_security(exam: Examination, name: str, _command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    table = exam.model.table(name)
    if table is not None and (table.policies or (table.complete and table.row_security)):
        return
    exam.report("row-security-without-policy", name, unless=f"policy {name}")


def _no_row_security(what: str) -> Check:
    def check(exam: Examination, name: str, _command: Node) -> None:
        exam.take(name, ACCESS_EXCLUSIVE)
        exam.report("row-security-off", name, detail=what)

    return check


def _options(exam: Examination, name: str, command: Node) -> None:
    enabled = option(command.def_, "autovacuum_enabled")
    if enabled is not None and not truth(enabled.arg):
        exam.report("vacuum-off", name)


def _owner(exam: Examination, name: str, _command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    exam.report("owner-changes", name)


def _replica_identity(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    kind = command.def_.identity_type
    table = exam.model.table(name)
    if kind == "n":
        exam.report("replica-identity-lost", name, detail="REPLICA IDENTITY NOTHING")
    elif kind == "f":
        exam.report("replica-identity-full", name)
    elif kind == "d" and table is not None and table.complete and table.primary_key() is None:
        exam.report("replica-identity-lost", name,
                    detail="REPLICA IDENTITY DEFAULT without a primary key")  # fmt: skip


COMMANDS: Final[dict[AlterTableType, Check]] = {
    AlterTableType.AT_SetTableSpace: _rewritten("SET TABLESPACE"),
    AlterTableType.AT_SetAccessMethod: _rewritten("SET ACCESS METHOD"),
    AlterTableType.AT_SetLogged: _logged,
    AlterTableType.AT_SetUnLogged: _unlogged,
    AlterTableType.AT_SetRelOptions: _options,
    AlterTableType.AT_ChangeOwner: _owner,
    AlterTableType.AT_ReplicaIdentity: _replica_identity,
    AlterTableType.AT_DisableTrig: _trigger("DISABLE TRIGGER", off=True),
    AlterTableType.AT_DisableTrigAll: _trigger("DISABLE TRIGGER ALL", off=True),
    AlterTableType.AT_DisableTrigUser: _trigger("DISABLE TRIGGER USER", off=True),
    AlterTableType.AT_EnableTrig: _trigger("ENABLE TRIGGER", off=False),
    AlterTableType.AT_EnableTrigAll: _trigger("ENABLE TRIGGER ALL", off=False),
    AlterTableType.AT_EnableTrigUser: _trigger("ENABLE TRIGGER USER", off=False),
    AlterTableType.AT_EnableAlwaysTrig: _trigger("ENABLE ALWAYS TRIGGER", off=False),
    AlterTableType.AT_EnableReplicaTrig: _trigger("ENABLE REPLICA TRIGGER", off=True),
    AlterTableType.AT_DisableRule: _rule("DISABLE RULE"),
    AlterTableType.AT_EnableRule: _brief,
    AlterTableType.AT_EnableRowSecurity: _row_security,
    AlterTableType.AT_ForceRowSecurity: _row_security,
    AlterTableType.AT_DisableRowSecurity: _no_row_security("DISABLE ROW LEVEL SECURITY"),
    AlterTableType.AT_NoForceRowSecurity: _no_row_security("NO FORCE ROW LEVEL SECURITY"),
    AlterTableType.AT_AddInherit: _brief,
    AlterTableType.AT_DropInherit: _brief,
    AlterTableType.AT_AddOf: _brief,
    AlterTableType.AT_DropOf: _brief,
}


def alter_index(exam: Examination, name: str, node: Node) -> None:
    """ALTER INDEX: only another tablespace makes it long."""
    known = exam.model.indexes.get(name)
    if known is not None and exam.is_new(known.table):
        return
    for command in node.cmds or ():
        if command.subtype == AlterTableType.AT_SetTableSpace and not exam.is_new(name):
            exam.take(known.table if known else name, ACCESS_EXCLUSIVE)
            exam.report("table-rewritten", name, detail="ALTER INDEX ... SET TABLESPACE")
