"""The linter: every statement to its check, then into what is known."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import AlterTableType

from bounty_ops.migrating.lint import (
    check_existence,
    check_hidden,
    check_indexes,
    check_names,
    check_objects,
    check_rights,
    check_rows,
    check_session,
    check_tables,
)
from bounty_ops.migrating.lint.acknowledgements import acknowledged
from bounty_ops.migrating.lint.examination import Examination, Outlook
from bounty_ops.migrating.lint.learning import learn, learn_script
from bounty_ops.migrating.lint.naming import resolve_names
from bounty_ops.migrating.lint.schema import Catalogue
from bounty_ops.migrating.lint.script import read_script
from bounty_ops.migrating.lint.tree import relation_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bounty_ops.migrating.lint.finding import Finding
    from bounty_ops.migrating.lint.script import Statement
    from bounty_ops.migrating.lint.tree import Node

DEFAULT_MAJOR: Final = 17

_CHECKS: Final[dict[type, Callable[[Examination, Node], None]]] = {
    ast.AlterTableStmt: check_tables.alter_table,
    ast.CreateStmt: check_tables.create_table,
    ast.CreateTableAsStmt: check_tables.create_table_as,
    ast.ViewStmt: check_tables.create_view,
    ast.RuleStmt: check_tables.create_rule,
    ast.CreateTrigStmt: check_tables.create_trigger,
    ast.CreatePolicyStmt: check_tables.create_policy,
    ast.IndexStmt: check_indexes.create_index,
    ast.ReindexStmt: check_indexes.reindex,
    ast.DropStmt: check_objects.drop,
    ast.RenameStmt: check_objects.rename,
    ast.AlterObjectSchemaStmt: check_objects.set_schema,
    ast.AlterEnumStmt: check_objects.alter_enum,
    ast.AlterDomainStmt: check_objects.alter_domain,
    ast.CreateEnumStmt: check_existence.create_type,
    ast.CreateDomainStmt: check_existence.create_type,
    ast.CompositeTypeStmt: check_existence.create_type,
    ast.CreateRangeStmt: check_existence.create_type,
    ast.UpdateStmt: check_rows.update,
    ast.DeleteStmt: check_rows.delete,
    ast.InsertStmt: check_rows.insert,
    ast.MergeStmt: check_rows.merge,
    ast.TruncateStmt: check_rows.truncate,
    ast.SelectStmt: check_rows.select,
    ast.CopyStmt: check_rows.copy,
    ast.VacuumStmt: check_rows.vacuum,
    ast.TransactionStmt: check_session.transaction,
    ast.VariableSetStmt: check_session.set_variable,
    ast.DiscardStmt: check_session.discard,
    ast.LockStmt: check_session.lock_table,
    ast.ClusterStmt: check_session.cluster,
    ast.RefreshMatViewStmt: check_session.refresh,
    ast.CreatedbStmt: check_session.alone,
    ast.CreateTableSpaceStmt: check_session.alone,
    ast.DropTableSpaceStmt: check_session.alone,
    ast.AlterSystemStmt: check_session.alone,
    ast.CreateSubscriptionStmt: check_session.subscription,
    ast.CreateSeqStmt: check_names.create_sequence,
    ast.AlterSeqStmt: check_session.alter_sequence,
    ast.CreateExtensionStmt: check_names.extend,
    ast.GrantStmt: check_rights.grant,
    ast.AlterDefaultPrivilegesStmt: check_rights.default_privileges,
    ast.GrantRoleStmt: check_rights.grant_role,
    ast.CreateRoleStmt: check_rights.role,
    ast.AlterRoleStmt: check_rights.role,
    ast.CreateFunctionStmt: check_rights.create_function,
    ast.AlterFunctionStmt: check_rights.alter_function,
    ast.CreatePublicationStmt: check_rights.create_publication,
    ast.AlterPublicationStmt: check_rights.alter_publication,
    ast.DropOwnedStmt: check_rights.drop_role_objects,
    ast.DropdbStmt: check_rights.drop_role_objects,
    ast.DropRoleStmt: check_rights.drop_role_objects,
    ast.DropSubscriptionStmt: check_rights.drop_role_objects,
}


def lint_sql(
    sql: str,
    *,
    history: Sequence[str] = (),
    catalogue: Catalogue | None = None,
    pg_major: int = DEFAULT_MAJOR,
    managed: bool = False,
    ignore: Iterable[str] = (),
) -> tuple[Finding, ...]:
    """What the statements of a file do to a database in use, in their order.

    Args:
        sql: The file. Without BEGIN, each statement is a transaction of its own, as in psql.
        history: Earlier files, oldest first: what they made is there.
        catalogue: What a server says is there; `history` comes on top of it.
        pg_major: The major version of the server that it is for.
        managed: Our runner applies it, which sets lock_timeout for the session.
        ignore: Rules that say nothing.
    """
    model = deepcopy(catalogue) if catalogue is not None else Catalogue()
    for earlier in history:
        learn_script(model, earlier)
    statements = read_script(sql)
    exam = Examination(model, pg_major, managed=managed, outlook=_outlook(statements))
    exam.last_line = max(1, sql.count("\n") + (not sql.endswith("\n")))
    for statement in statements:
        _statement(exam, statement)
    _end(exam)
    ignored = set(ignore)
    found = [each for each in exam.findings if each.rule not in ignored]
    return tuple(acknowledged(sql, statements, found))


def _statement(exam: Examination, statement: Statement) -> None:
    exam.statement, exam.line = statement, statement.line
    if statement.node is None:
        exam.report("syntax-error", detail=statement.error or "")
        return
    try:
        examine(exam, statement.node)
    except RecursionError:
        exam.report("syntax-error", detail="nested too deeply to be looked at")


def examine(exam: Examination, node: Node) -> None:
    """Check one statement, and what it executes, then let it leave its mark."""
    if isinstance(node, ast.ExplainStmt):
        analyzes = any(each.defname == "analyze" for each in node.options or ())
        if analyzes:
            examine(exam, node.query)
        return
    resolve_names(exam, node)
    check_session.new_labels_used(exam, node)
    check_names.lacks_functions(exam, node)
    check_names.lacks_sequences(exam, node)
    check = _CHECKS.get(type(node))
    if check is not None:
        check(exam, node)
    if isinstance(node, ast.DoStmt):
        check_hidden.do_block(exam, node, examine)
    elif isinstance(node, ast.CallStmt | ast.SelectStmt):
        check_hidden.calls(exam, node, examine)
    elif isinstance(node, ast.PrepareStmt):
        exam.prepared[node.name or ""] = node.query
    elif isinstance(node, ast.ExecuteStmt):
        check_hidden.execute_prepared(exam, node, examine)
    learn(exam.model, node)


def _outlook(statements: Sequence[Statement]) -> Outlook:
    outlook = Outlook()
    for each in statements:
        node = each.node
        if isinstance(node, ast.VariableSetStmt) and node.name == "lock_timeout" and node.args:
            outlook.sets_lock_timeout_at = each.number
        elif isinstance(node, ast.AlterTableStmt) and any(
            command.subtype == AlterTableType.AT_EnableRowSecurity
            for command in node.cmds or ()
            if isinstance(command, ast.AlterTableCmd)
        ):
            outlook.secures.add(relation_name(node.relation))
    return outlook


def _end(exam: Examination) -> None:
    transaction = exam.session.transaction
    if transaction is not None:
        exam.line = transaction.line
        exam.report("transaction-left-open")
