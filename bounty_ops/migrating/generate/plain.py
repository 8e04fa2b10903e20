"""Statements that stay as they are: which lock they take, and how they are taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import AlterTableType, ObjectType

from bounty_ops.migrating.generate.constraints import (
    ACCESS_EXCLUSIVE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
)
from bounty_ops.migrating.generate.statements import Node, is_a, mentioned, quoted, strings, written
from bounty_ops.migrating.generate.step import Risk, Step

if TYPE_CHECKING:
    from bounty_ops.migrating.generate.known import Known

_KINDS: Final = AlterTableType
#: ALTER TABLE forms that neither readers nor writers wait for (PostgreSQL documentation, ALTER
#: TABLE).
_GENTLE: Final = frozenset(
    {
        _KINDS.AT_SetStatistics,
        _KINDS.AT_SetOptions,
        _KINDS.AT_ResetOptions,
        _KINDS.AT_SetRelOptions,
        _KINDS.AT_ResetRelOptions,
        _KINDS.AT_ClusterOn,
        _KINDS.AT_DropCluster,
        _KINDS.AT_ValidateConstraint,
    }
)
_TRIGGERS: Final = frozenset(
    {
        _KINDS.AT_EnableTrig,
        _KINDS.AT_DisableTrig,
        _KINDS.AT_EnableAlwaysTrig,
        _KINDS.AT_EnableReplicaTrig,
        _KINDS.AT_EnableTrigAll,
        _KINDS.AT_DisableTrigAll,
        _KINDS.AT_EnableTrigUser,
        _KINDS.AT_DisableTrigUser,
    }
)
#: They write every row, or read it, under the lock.
_HEAVY: Final = frozenset(
    {
        _KINDS.AT_AlterColumnType,
        _KINDS.AT_SetExpression,
        _KINDS.AT_SetLogged,
        _KINDS.AT_SetUnLogged,
        _KINDS.AT_SetAccessMethod,
        _KINDS.AT_SetTableSpace,
        _KINDS.AT_AttachPartition,
        _KINDS.AT_SetNotNull,
        _KINDS.AT_AddIdentity,
    }
)
_LOSES: Final = frozenset(
    {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_SEQUENCE, ObjectType.OBJECT_SCHEMA}
)


def step(sql: str, node: Node, known: Known, *, new: bool) -> Step:
    """A statement as it stands; ``new``: its table is made by the same change."""
    lock, table = _lock(node)
    own = new or table is None or not known.has_table(table)
    risk, why = _risk(node, lock=None if own else lock)
    return Step(
        sql=sql,
        why="nobody uses it yet" if new else why,
        lock=None if own else lock,
        table=None if own else table,
        risk="online" if new else risk,
        down=_down(node, known),
        touches=mentioned(node),
    )


def _lock(node: Node) -> tuple[str | None, str | None]:
    """The mode that a statement takes, and on which table."""
    relation = getattr(node, "relation", None) or getattr(node, "table", None)
    table = getattr(relation, "relname", None)
    if is_a(node, ast.AlterTableStmt):
        subtypes = {command.subtype for command in node.cmds}
        if subtypes <= _GENTLE:
            return SHARE_UPDATE_EXCLUSIVE, table
        return (SHARE_ROW_EXCLUSIVE if subtypes <= _TRIGGERS else ACCESS_EXCLUSIVE), table
    if is_a(node, ast.CreateTrigStmt):
        return SHARE_ROW_EXCLUSIVE, table
    if is_a(node, ast.CommentStmt):
        parts = strings(node.object) if isinstance(node.object, tuple | list) else ()
        at = -2 if node.objtype not in (ObjectType.OBJECT_TABLE, ObjectType.OBJECT_INDEX) else -1
        return SHARE_UPDATE_EXCLUSIVE, parts[at] if len(parts) >= -at else None
    if is_a(node, ast.DropStmt):
        first = node.objects[0]
        parts = strings(first) if isinstance(first, tuple | list) else ()
        on_table = node.removeType in (
            ObjectType.OBJECT_TRIGGER,
            ObjectType.OBJECT_POLICY,
            ObjectType.OBJECT_RULE,
        )
        at = 2 if on_table else 1
        return ACCESS_EXCLUSIVE, parts[-at] if len(parts) >= at else None
    return ACCESS_EXCLUSIVE, table


def _risk(node: Node, lock: str | None) -> tuple[Risk, str]:
    if is_a(node, ast.RenameStmt):
        if node.renameType in (ObjectType.OBJECT_TABLE, ObjectType.OBJECT_COLUMN):
            return "clients", "programs that use the old name fail from then on"
        return ("brief" if lock else "online"), "a name changes, nothing else"
    if is_a(node, ast.DropStmt) and node.removeType in _LOSES:
        return "data", "what is in it is lost; programs that use it fail from then on"
    if is_a(node, ast.AlterTableStmt):
        return _risk_of_altering({command.subtype for command in node.cmds}, lock)
    return ("brief", "only the catalog changes") if lock else ("online", "nobody waits")


def _risk_of_altering(subtypes: set[AlterTableType], lock: str | None) -> tuple[Risk, str]:
    if _KINDS.AT_DropColumn in subtypes:
        return "data", "its values are lost; programs that use it fail from then on"
    if subtypes & _HEAVY:
        return "blocking", "every row is read or written under the lock"
    gentle = subtypes <= _GENTLE or lock is None
    return ("online" if gentle else "brief"), "only the catalog changes"


def _down(node: Node, known: Known) -> tuple[str, ...] | None:
    """What takes a statement back, where its text and the catalog say so."""
    if is_a(node, ast.CreateStmt):
        return (f"DROP TABLE {written(node.relation)}",)
    if is_a(node, ast.CreateEnumStmt):
        return (f"DROP TYPE {'.'.join(map(quoted, strings(node.typeName)))}",)
    if is_a(node, ast.IndexStmt) and node.idxname:
        schema = f"{quoted(node.relation.schemaname)}." if node.relation.schemaname else ""
        return (f"DROP INDEX {schema}{quoted(node.idxname)}",)
    if is_a(node, ast.RenameStmt):
        return _renamed_back(node)
    if is_a(node, ast.AlterTableStmt) and len(node.cmds) == 1:
        return _altered_back(node, known)
    return None


def _renamed_back(node: Node) -> tuple[str, ...] | None:
    schema = getattr(node.relation, "schemaname", None)
    prefix = f"{quoted(schema)}." if schema else ""
    if node.renameType == ObjectType.OBJECT_COLUMN:
        table = written(node.relation)
        return (
            f"ALTER TABLE {table} RENAME COLUMN {quoted(node.newname)} TO {quoted(node.subname)}",
        )
    if node.renameType == ObjectType.OBJECT_TABCONSTRAINT:
        table = written(node.relation)
        names = f"{quoted(node.newname)} TO {quoted(node.subname)}"
        return (f"ALTER TABLE {table} RENAME CONSTRAINT {names}",)
    words = {ObjectType.OBJECT_TABLE: "TABLE", ObjectType.OBJECT_INDEX: "INDEX"}
    if node.renameType in words:
        old = quoted(node.relation.relname)
        word = words[node.renameType]
        return (f"ALTER {word} {prefix}{quoted(node.newname)} RENAME TO {old}",)
    return None


def _altered_back(node: Node, known: Known) -> tuple[str, ...] | None:
    command, table = node.cmds[0], node.relation.relname
    start = f"ALTER TABLE {written(node.relation)}"
    if command.subtype == _KINDS.AT_AddColumn:
        return (f"{start} DROP COLUMN {quoted(command.def_.colname)}",)
    if command.subtype == _KINDS.AT_AddConstraint and command.def_.conname:
        return (f"{start} DROP CONSTRAINT {quoted(command.def_.conname)}",)
    if command.subtype == _KINDS.AT_DropNotNull:
        return (f"{start} ALTER COLUMN {quoted(command.name)} SET NOT NULL",)
    if command.subtype == _KINDS.AT_ColumnDefault:
        old = known.default(table, command.name)
        words = "DROP DEFAULT" if old is None else f"SET DEFAULT {old}"
        return (f"{start} ALTER COLUMN {quoted(command.name)} {words}",)
    if command.subtype == _KINDS.AT_DropConstraint:
        for constraint in known.constraints(table):
            if constraint.name == command.name:
                words = f"{quoted(constraint.name)} {constraint.definition}"
                return (f"{start} ADD CONSTRAINT {words}",)
    return None
