"""Which statement_timeout a statement deserves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pglast import ast
from pglast.enums import AlterTableType

from bounty_ops.migrating.lint.script import read_script
from bounty_ops.migrating.lint.tree import flag

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.tree import Node

_ROWS: Final = (ast.SelectStmt, ast.CopyStmt, ast.VacuumStmt, ast.CallStmt)
"""They hold locks that let reads and writes go on, for as long as they take."""


def lint_class(sql_statement: str) -> Literal["blocking", "online"]:
    """Whether a statement may take its time: nobody waits for its lock while it works.

    What cannot be read counts as blocking; so does UPDATE, which keeps rows locked.
    """
    statements = read_script(sql_statement)
    online = bool(statements) and all(_is_online(each.node) for each in statements)
    return "online" if online else "blocking"


def _is_online(node: Node) -> bool:
    if isinstance(node, ast.VacuumStmt):
        return not flag(node.options, "full")
    if isinstance(node, ast.IndexStmt | ast.DropStmt | ast.RefreshMatViewStmt):
        return bool(node.concurrent)
    if isinstance(node, ast.ReindexStmt):
        return flag(node.params, "concurrently")
    if isinstance(node, ast.AlterTableStmt):
        return all(_is_online_command(each) for each in node.cmds or ())
    return isinstance(node, _ROWS)


def _is_online_command(command: Node) -> bool:
    if command.subtype == AlterTableType.AT_DetachPartition:
        return bool(command.def_.concurrent)
    return bool(command.subtype == AlterTableType.AT_ValidateConstraint)
