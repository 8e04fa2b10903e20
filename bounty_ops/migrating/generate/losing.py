"""Which statements lose data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import AlterTableType, ObjectType

from bounty_ops.migrating.generate.known import Known
from bounty_ops.migrating.generate.statements import Node, is_a, parsed, strings, written
from bounty_ops.migrating.generate.types import canonical_type, same_storage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bounty_ops.migrating.catalog import Catalog

_WIDER: Final = ("smallint", "integer", "bigint", "numeric")
_KEEPS: Final = frozenset({"text", "character varying"})


def what_is_lost(statements: Sequence[str], found: Catalog) -> tuple[str, ...]:
    """A sentence for each statement after which something cannot be had back."""
    known = Known(found)
    return tuple(sentence for sql in statements for sentence in _lost(parsed(sql), known))


def _lost(node: Node, known: Known) -> Iterator[str]:
    if is_a(node, ast.DropStmt):
        kinds = {ObjectType.OBJECT_TABLE: "table", ObjectType.OBJECT_SEQUENCE: "sequence"}
        if node.removeType in kinds:
            for each in node.objects:
                yield f"{kinds[node.removeType]} {strings(each)[-1]} would be dropped"
    if is_a(node, ast.AlterTableStmt):
        table = node.relation.relname
        for command in node.cmds:
            if command.subtype == AlterTableType.AT_DropColumn:
                yield f"column {table}.{command.name} would be dropped"
            if command.subtype == AlterTableType.AT_AlterColumnType:
                before = known.column_type(table, command.name)
                after = written(command.def_.typeName)
                if before is not None and not keeps_values(before, after):
                    place = f"{table}.{command.name}"
                    yield f"values of {place} may not survive from {before} to {after}"


def keeps_values(before: str, after: str) -> bool:
    """Whether every value of a type has one of the other that can be turned back into it."""
    if same_storage(before, after):
        return True
    old, new = canonical_type(before), canonical_type(after)
    if old[2] != new[2]:
        return False
    if new[0] in _KEEPS and not new[1]:
        return True
    if old[0] in _WIDER and new[0] in _WIDER:
        return _WIDER.index(old[0]) < _WIDER.index(new[0]) and not new[1]
    # A label or an identifier that the new type does not have stops the conversion.
    return old[0] == new[0].removeprefix("public.") or (old[0], new[0]) == ("text", "uuid")
