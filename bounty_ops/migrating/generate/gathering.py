"""A list of statements, with what later ones say about earlier ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import AlterTableType, ConstrType, ObjectType

from bounty_ops.migrating.generate.second_column import why_not_online
from bounty_ops.migrating.generate.statements import Node, is_a, is_command, strings, written
from bounty_ops.migrating.generate.types import same_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bounty_ops.migrating.generate.known import Known

UNIQUE: Final = (ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_PRIMARY)


@dataclass
class Listing:
    """The statements of a change, and which of them are dealt with."""

    nodes: list[tuple[str, Node]]
    known: Known
    done: set[int] = field(default_factory=set)
    remade: dict[str, Node] = field(default_factory=dict)
    """Constraints and indexes that a conversion makes, as they shall be."""
    busy: set[str] = field(default_factory=set)
    """Tables that others use and that this change alters."""
    undefaulted: set[tuple[str, str]] = field(default_factory=set)
    """Columns whose default goes with their conversion."""

    def gather(self) -> None:
        """Find what is dropped before a conversion and made again after it.

        Plainly it has to be done so; beside a second column nothing has to be missing meanwhile.
        """
        for position, (_, node) in enumerate(self.nodes):
            relation: Node = getattr(node, "relation", None)
            if is_a(relation, ast.RangeVar) and self.known.has_table(relation.relname):
                self.busy.add(relation.relname)
            if not is_command(node, AlterTableType.AT_AlterColumnType):
                continue
            if self._is_conversion(node):
                for earlier in range(position):
                    self._gather(earlier, position, node.relation.relname, node.cmds[0].name)

    def _is_conversion(self, node: Node) -> bool:
        table, command = node.relation.relname, node.cmds[0]
        before = self.known.column_type(table, command.name)
        return (
            before is not None
            and command.def_.collClause is None
            and not same_storage(before, written(command.def_.typeName))
            and why_not_online(table, command.name, self.known) is None
        )

    def _gather(self, earlier: int, position: int, table: str, column: str) -> None:
        node = self.nodes[earlier][1]
        if earlier in self.done:
            return
        if is_command(node, AlterTableType.AT_ColumnDefault):
            command = node.cmds[0]
            ours = node.relation.relname == table and command.name == column
            if ours and command.def_ is None:
                self.done.add(earlier)
                self.undefaulted.add((table, column))
            return
        for name, matches in _dropped(node, table):
            if self.known.depends(table, column, name):
                again = self.later(position, matches)
                if again is not None:
                    self.done |= {earlier, again}
                    self.remade[name] = self.nodes[again][1]

    def default_after(self, position: int, table: str, column: str) -> str | None:
        """The default after a conversion: a later statement's, or the one that is there."""

        def concerns(node: Node) -> bool:
            return (
                is_command(node, AlterTableType.AT_ColumnDefault)
                and node.relation.relname == table
                and node.cmds[0].name == column
            )

        later = self.later(position, concerns)
        if later is None:
            gone = (table, column) in self.undefaulted
            return None if gone else self.known.default(table, column)
        self.done.add(later)
        default = self.nodes[later][1].cmds[0].def_
        return None if default is None else written(default)

    def later(self, position: int, wanted: Callable[[Node], bool]) -> int | None:
        """Where after a statement the one is that belongs to it."""
        for other in range(position + 1, len(self.nodes)):
            if other not in self.done and wanted(self.nodes[other][1]):
                return other
        return None


def _dropped(node: Node, table: str) -> Sequence[tuple[str, Callable[[Node], bool]]]:
    """What a statement drops of a table, and how to know the statement that makes it again."""
    if is_command(node, AlterTableType.AT_DropConstraint) and node.relation.relname == table:
        name = node.cmds[0].name
        return [(name, partial(_adds_constraint, table=table, name=name))]
    if is_a(node, ast.DropStmt) and node.removeType == ObjectType.OBJECT_INDEX:
        names = [strings(each)[-1] for each in node.objects]
        return [(name, partial(makes_index, name=name)) for name in names] * (len(names) == 1)
    return []


def makes_index(node: Node, name: str) -> bool:
    """Whether a statement creates the index."""
    return is_a(node, ast.IndexStmt) and node.idxname == name


def _adds_constraint(node: Node, table: str, name: str) -> bool:
    return (
        is_command(node, AlterTableType.AT_AddConstraint)
        and node.relation.relname == table
        and node.cmds[0].def_.conname == name
    )


def adds_unique(node: Node, table: str, name: str) -> bool:
    """Whether a statement adds the unique constraint or primary key."""
    return _adds_constraint(node, table, name) and node.cmds[0].def_.contype in UNIQUE
