"""New columns: a value for every row, without writing the table anew under a lock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import AlterTableType, ConstrType

from bounty_ops.migrating.generate.constraints import (
    ACCESS_EXCLUSIVE,
    foreign_key_or_check,
    proof_of_not_null,
    unique,
)
from bounty_ops.migrating.generate.statements import Node, mentioned, quoted, strings, written
from bounty_ops.migrating.generate.step import Backfill, Rewritten, Step
from bounty_ops.migrating.generate.volatility import is_volatile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.migrating.generate.known import Known

_SERIAL: Final = frozenset({"serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"})
_IN_PLACE: Final = frozenset({ConstrType.CONSTR_NULL, ConstrType.CONSTR_DEFAULT})
#: How PostgreSQL ends the name of a constraint that has none.
_SUFFIXES: Final = {
    ConstrType.CONSTR_CHECK: "check",
    ConstrType.CONSTR_UNIQUE: "key",
    ConstrType.CONSTR_FOREIGN: "fkey",
}


class Addition:
    """One ADD COLUMN, taken apart."""

    def __init__(self, sql: str, node: Node) -> None:
        self.sql = sql
        self.node = node
        self.column: Node = node.cmds[0].def_
        self.table: str = node.relation.relname
        self.target = written(node.relation)
        self.name = quoted(self.column.colname)
        self.touches = mentioned(node)
        self.constraints = tuple(self.column.constraints or ())

    def of(self, kind: ConstrType) -> Node | None:
        """The column's constraint of a kind."""
        return next((each for each in self.constraints if each.contype == kind), None)

    def step(self, sql: str, why: str, **more: object) -> Step:
        """A step on this table that is over in a moment."""
        values: dict[str, object] = {
            "lock": ACCESS_EXCLUSIVE,
            "table": self.table,
            "risk": "brief",
            "touches": self.touches,
            **more,
        }
        return Step(sql, why, **values)  # type: ignore[arg-type]  # as the callers give them

    @property
    def dropped(self) -> tuple[str, ...]:
        """What takes the column back."""
        return (f"ALTER TABLE {self.target} DROP COLUMN {self.name}",)

    def declaration(self, *, without: Sequence[ConstrType]) -> str:
        """ADD COLUMN without some of its constraints."""
        kept = tuple(each for each in self.constraints if each.contype not in without)
        column = self.column
        shorter = ast.ColumnDef(
            colname=column.colname,
            typeName=column.typeName,
            collClause=column.collClause,
            constraints=kept or None,
            compression=column.compression,
            storage_name=column.storage_name,
            is_local=True,
        )
        command = ast.AlterTableCmd(
            subtype=AlterTableType.AT_AddColumn, def_=shorter, behavior=self.node.cmds[0].behavior
        )
        return written(
            ast.AlterTableStmt(
                relation=self.node.relation, cmds=(command,), objtype=self.node.objtype
            )
        )


def add_column(sql: str, node: Node, known: Known, fill: str | None) -> list[Rewritten]:
    """ADD COLUMN as steps; ``fill`` is the value for the rows that are there."""
    add = Addition(sql, node)
    reason = _why_not_online(add, known)
    if reason is not None:
        blocking = add.step(sql, reason, risk="blocking", down=add.dropped)
        note = f"{add.table}.{add.column.colname}: {reason}"
        return [Rewritten((blocking,), (note,))]
    inline = [each for each in add.constraints if each.contype in _SUFFIXES]
    if inline:
        add = Addition(add.declaration(without=list(_SUFFIXES)), node)
        add.constraints = tuple(each for each in add.constraints if each not in inline)
    return [_column(add, fill), *(_separately(add, each, known) for each in inline)]


def _why_not_online(add: Addition, known: Known) -> str | None:
    generated = add.of(ConstrType.CONSTR_GENERATED)
    if generated is not None and generated.generated_kind != "v":
        return "a stored generated column is computed for every row under the lock"
    if add.of(ConstrType.CONSTR_IDENTITY) is not None:
        return "an identity column is numbered for every row under the lock"
    names = strings(add.column.typeName.names)
    if names[-1] in _SERIAL:
        return "a serial column is numbered for every row under the lock"
    if add.of(ConstrType.CONSTR_PRIMARY) is not None:
        return "a new column that is the primary key is indexed under the lock"
    if known.is_domain(names[-1]):
        return "the conditions of a domain are checked on every row under the lock"
    return None


def _column(add: Addition, fill: str | None) -> Rewritten:
    default = add.of(ConstrType.CONSTR_DEFAULT)
    required = add.of(ConstrType.CONSTR_NOTNULL) is not None
    generated = add.of(ConstrType.CONSTR_GENERATED) is not None
    volatile = default is not None and is_volatile(default.raw_expr)
    if generated or (fill is None and not volatile and (default is not None or not required)):
        why = (
            "no row is written: the value stands in the catalog" if default else "no row is written"
        )
        return Rewritten((add.step(add.sql, why, down=add.dropped),))
    steps = [_nullable(add)]
    if default is not None:
        steps.append(
            add.step(
                f"ALTER TABLE {add.target} ALTER COLUMN {add.name} "
                f"SET DEFAULT {written(default.raw_expr)}",
                "for new rows",
                down=(f"ALTER TABLE {add.target} ALTER COLUMN {add.name} DROP DEFAULT",),
            )
        )
    proof = (
        proof_of_not_null(add.target, add.table, add.column.colname, first=0) if required else []
    )
    value = fill if fill is not None else "DEFAULT" if default is not None else None
    needs_fill = None
    if value is None:
        needs_fill = f"{add.table}.{add.column.colname}"
        return Rewritten((*steps, *proof), needs_fill=needs_fill)
    # New rows are held to it before the others are filled: there is no end otherwise.
    steps += proof[:1]
    filled = backfill(add.target, add.table, {add.column.colname: value}, f"{add.name} IS NULL")
    steps.append(replace(filled, touches=add.touches, stage=1))
    steps += [replace(each, stage=each.stage + 1) for each in proof[1:]]
    return Rewritten(tuple(steps))


def _nullable(add: Addition) -> Step:
    left_out = [ConstrType.CONSTR_DEFAULT, ConstrType.CONSTR_NOTNULL]
    return add.step(
        add.declaration(without=left_out),
        "no row is written: it is NULL in all of them",
        down=add.dropped,
    )


def _separately(add: Addition, constraint: Node, known: Known) -> Rewritten:
    """A constraint that stood in the column's declaration, as one of its own."""
    column = ast.String(sval=add.column.colname)
    if constraint.conname is None:
        constraint.conname = f"{add.table}_{add.column.colname}_{_SUFFIXES[constraint.contype]}"
    if constraint.contype == ConstrType.CONSTR_FOREIGN:
        constraint.fk_attrs = (column,)
    if constraint.contype == ConstrType.CONSTR_UNIQUE:
        constraint.keys = (column,)
    command = ast.AlterTableCmd(
        subtype=AlterTableType.AT_AddConstraint,
        def_=constraint,
        behavior=add.node.cmds[0].behavior,
    )
    node = ast.AlterTableStmt(relation=add.node.relation, cmds=(command,), objtype=add.node.objtype)
    if constraint.contype == ConstrType.CONSTR_UNIQUE:
        return unique(written(node), node, known, replaces=False)
    return foreign_key_or_check(written(node), node)


def backfill(
    target: str, table: str, values: dict[str, str], where: str, *, key: tuple[str, ...] = ()
) -> Step:
    """Values for the rows that are there, page by page; the key is filled in by the caller."""
    assignments = ", ".join(f"{quoted(name)} = {value}" for name, value in values.items())
    return Step(
        sql=f"UPDATE {target} SET {assignments} WHERE {where}",  # noqa: S608 - quoted, or the model's
        why="page by page, each committed: no row is locked for longer than its page takes",
        lock="ROW EXCLUSIVE",
        table=table,
        kind="alone",
        backfill=Backfill(target, key, assignments, where),
    )


def set_not_null(sql: str, node: Node, known: Known, fill: str | None) -> Rewritten:
    """SET NOT NULL, proved by a CHECK that was validated before."""
    table, column = node.relation.relname, node.cmds[0].name
    target = written(node.relation)
    if known.proves_not_null(table, column):
        proved = Step(
            sql=sql,
            why="a valid CHECK proves it, so no row is read",
            lock=ACCESS_EXCLUSIVE,
            table=table,
            risk="brief",
            down=(f"ALTER TABLE {target} ALTER COLUMN {quoted(column)} DROP NOT NULL",),
            touches=frozenset({table}),
        )
        return Rewritten((proved,))
    steps = proof_of_not_null(target, table, column, first=0)
    if fill is None:
        note = f"{table}.{column}: fails, and changes nothing, while there are rows without a value"
        return Rewritten(tuple(steps), (note,))
    filled = backfill(target, table, {column: fill}, f"{quoted(column)} IS NULL")
    middle = replace(filled, touches=frozenset({table}), stage=1)
    rest = [replace(each, stage=each.stage + 1) for each in steps[1:]]
    return Rewritten((steps[0], middle, *rest))
