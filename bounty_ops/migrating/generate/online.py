"""Plain DDL as the sequence of statements that does the same while the database is in use."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import AlterTableType, ConstrType, ObjectType

from bounty_ops.migrating.generate import columns, constraints, enums, plain
from bounty_ops.migrating.generate.conversion import convert
from bounty_ops.migrating.generate.gathering import UNIQUE, Listing, adds_unique, makes_index
from bounty_ops.migrating.generate.grouping import grouped
from bounty_ops.migrating.generate.known import Known
from bounty_ops.migrating.generate.second_column import Conversion, why_not_online
from bounty_ops.migrating.generate.statements import (
    Node,
    is_a,
    is_command,
    parsed,
    quoted,
    single_commands,
    strings,
    written,
)
from bounty_ops.migrating.generate.step import Rewritten, Step
from bounty_ops.migrating.generate.types import between_clocks, same_storage, simple_conversion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bounty_ops.migrating.catalog import Catalog

_NO_FILLS: Final[Mapping[str, str]] = {}
_NOT_VALID_FIRST: Final = (ConstrType.CONSTR_FOREIGN, ConstrType.CONSTR_CHECK)


def online(
    statements: Sequence[str], catalog: Catalog, *, fills: Mapping[str, str] = _NO_FILLS
) -> list[Step]:
    """Rewrite what would block; each step says its revision, its lock and its risk.

    Args:
        statements: plain DDL, one statement each, in an order in which it could be run.
        catalog: the schema before the first of them.
        fills: for ``table.column`` the value (an expression) of the rows that are there.
    """
    return grouped(rewritten(statements, catalog, fills=fills))


def rewritten(
    statements: Sequence[str], catalog: Catalog, *, fills: Mapping[str, str] = _NO_FILLS
) -> list[Rewritten]:
    """The same before it is divided into revisions, with what has to be said about it."""
    nodes = [
        (written(single) if len(getattr(node, "cmds", ())) > 1 else sql.strip().rstrip(";"), single)
        for sql in statements
        for node in [parsed(sql)]
        for single in (single_commands(node) if is_a(node, ast.AlterTableStmt) else [node])
    ]
    work = _Rewriting(nodes, Known(catalog), fills=fills)
    work.gather()
    for position in range(len(nodes)):
        if position not in work.done:
            work.take(position)
    return work.changes


@dataclass
class _Rewriting(Listing):
    """A list of statements on its way to steps."""

    fills: Mapping[str, str] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)
    """Tables that this change itself creates: nobody uses them yet."""
    gone: set[str] = field(default_factory=set)
    """Names of constraints and indexes that were dropped so far."""
    changes: list[Rewritten] = field(default_factory=list)

    def take(self, position: int) -> None:
        """Rewrite one statement."""
        sql, node = self.nodes[position]
        table = getattr(getattr(node, "relation", None), "relname", None)
        if is_a(node, ast.CreateStmt, ast.CreateTableAsStmt, ast.ViewStmt):
            self.new.add(_created(node))
        if table in self.new:
            self.changes.append(self._of_new_table(sql, node))
        elif is_a(node, ast.IndexStmt):
            replaces = node.idxname in self.gone
            self.changes.append(constraints.create_index(sql, node, self.known, replaces=replaces))
        elif is_a(node, ast.DropStmt) and node.removeType == ObjectType.OBJECT_INDEX:
            self._drop_indexes(position, node)
        elif is_a(node, ast.AlterEnumStmt):
            self.changes.append(enums.add_label(sql, node))
        elif is_a(node, ast.AlterTableStmt):
            self._alter_table(position, sql, node)
        else:
            self.changes.append(Rewritten((plain.step(sql, node, self.known, new=False),)))

    def _of_new_table(self, sql: str, node: Node) -> Rewritten:
        """Nobody uses the table yet; but a table that it refers to may have changes of its own.

        Those may come in between, and then the new table is not new any more.
        """
        if is_command(node, AlterTableType.AT_AddConstraint):
            constraint = node.cmds[0].def_
            if (
                constraint.contype == ConstrType.CONSTR_FOREIGN
                and constraint.pktable.relname in self.busy
            ):
                return constraints.foreign_key_or_check(sql, node)
        return Rewritten((plain.step(sql, node, self.known, new=True),))

    def _drop_indexes(self, position: int, node: Node) -> None:
        for each in node.objects:
            name = strings(each)[-1]
            text = ".".join(map(quoted, strings(each)))
            dropped = constraints.drop_index(name, text, self.known)
            again = self.later(position, partial(makes_index, name=name))
            if again is None or dropped.kind != "alone":
                self.gone.add(name)
                self.changes.append(Rewritten((dropped,)))
                continue
            sql, made = self.nodes[again]
            self.done.add(again)
            created = constraints.create_index(sql, made, self.known, replaces=True)
            self.changes.append(constraints.replaced_index(dropped, created, made, name))

    def _alter_table(self, position: int, sql: str, node: Node) -> None:
        command, table = node.cmds[0], node.relation.relname
        kinds = AlterTableType
        if command.subtype == kinds.AT_AddConstraint:
            self.changes.append(self._add_constraint(sql, node, before=None))
        elif command.subtype == kinds.AT_DropConstraint:
            self._drop_constraint(position, sql, node)
        elif command.subtype == kinds.AT_AddColumn:
            fill = self.fills.get(f"{table}.{command.def_.colname}")
            self.changes += [
                self._keyed(change) for change in columns.add_column(sql, node, self.known, fill)
            ]
        elif command.subtype == kinds.AT_SetNotNull:
            fill = self.fills.get(f"{table}.{command.name}")
            change = columns.set_not_null(sql, node, self.known, fill)
            self.changes.append(self._keyed(change))
        elif command.subtype == kinds.AT_AlterColumnType:
            self.changes.append(self._alter_type(position, sql, node))
        elif command.subtype != kinds.AT_NoForceRowSecurity or self.known.forces_rows(table):
            self.changes.append(Rewritten((plain.step(sql, node, self.known, new=False),)))

    def _add_constraint(self, sql: str, node: Node, *, before: Step | None) -> Rewritten:
        constraint = node.cmds[0].def_
        if constraint.contype in _NOT_VALID_FIRST:
            return constraints.foreign_key_or_check(sql, node)
        if constraint.contype in UNIQUE:
            made = constraints.unique(sql, node, self.known, replaces=before is not None)
            if before is None:
                return made
            *first, adopted = made.steps
            return Rewritten((*first, replace(before, stage=adopted.stage), adopted))
        return constraints.exclusion(sql, node)

    def _drop_constraint(self, position: int, sql: str, node: Node) -> None:
        name, table = node.cmds[0].name, node.relation.relname
        dropped = plain.step(sql, node, self.known, new=False)
        again = self.later(position, partial(adds_unique, table=table, name=name))
        if again is not None:
            text, added = self.nodes[again]
            self.done.add(again)
            self.changes.append(self._add_constraint(text, added, before=dropped))
            return
        self.gone.add(name)
        self.changes.append(Rewritten((dropped,)))

    def _alter_type(self, position: int, sql: str, node: Node) -> Rewritten:
        command, table = node.cmds[0], node.relation.relname
        before = self.known.column_type(table, command.name)
        after = written(command.def_.typeName)
        blocking = plain.step(sql, node, self.known, new=False)
        collates = command.def_.collClause is not None
        if before is not None and not collates and same_storage(before, after):
            why = "what is stored fits the new type as it is: only the catalog changes"
            return Rewritten((replace(blocking, why=why, risk="brief"),))
        reason = (
            "another collation changes the order in every index"
            if collates
            else "the table is not known"
            if before is None
            else why_not_online(table, command.name, self.known, frozenset(self.gone))
        )
        if reason is not None or before is None:
            note = (
                f"{table}.{command.name} is written anew under an ACCESS EXCLUSIVE lock: {reason}"
            )
            why = f"every row is written anew; not online, because {reason}"
            return Rewritten((replace(blocking, why=why, risk="blocking"),), (note,))
        using = command.def_.raw_default
        plain_using = f"CAST({quoted(command.name)} AS {after})"
        if between_clocks(before, after):
            plain_using = simple_conversion(before, after, quoted(command.name))
        wish = Conversion(
            table=table,
            column=command.name,
            type=after,
            using=written(using) if using else plain_using,
            before=before,
            default=self.default_after(position, table, command.name),
            old_default=self.known.default(table, command.name),
            not_null=self.known.is_not_null(table, command.name),
        )
        return self._keyed(convert(wish, self.known, frozenset(self.gone), self.remade))

    def _keyed(self, change: Rewritten) -> Rewritten:
        """The same with the key by which a backfill goes through its table."""
        return replace(change, steps=tuple(map(self._with_key, change.steps)))

    def _with_key(self, step: Step) -> Step:
        if step.backfill is None or step.backfill.key or step.table is None:
            return step
        key = self.known.primary_key(step.table)
        if key:
            return replace(step, backfill=replace(step.backfill, key=key))
        # Without a key there are no pages: all rows at once, locked until the end.
        return replace(
            step,
            kind="change",
            backfill=None,
            risk="blocking",
            why="the table has no primary key, so all rows are written at once",
        )


def _created(node: Node) -> str:
    relation = getattr(node, "relation", None) or getattr(node, "view", None) or node.into.rel
    return str(relation.relname)
