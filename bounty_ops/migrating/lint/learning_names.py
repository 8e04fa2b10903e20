"""What DROP, RENAME and SET SCHEMA make of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pglast import ast
from pglast.enums import ObjectType

from bounty_ops.migrating.lint.schema import Table
from bounty_ops.migrating.lint.tree import dotted, qualified, relation_name, strings

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.lint.schema import Catalogue
    from bounty_ops.migrating.lint.tree import Node

RELATIONS: Final = frozenset({
    ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW,
    ObjectType.OBJECT_FOREIGN_TABLE,
})  # fmt: skip
_TYPES: Final = frozenset({ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN})


def dropped_names(node: Node) -> list[str]:
    """The names of the objects that a DROP lists."""
    names = []
    for each in node.objects or ():
        if isinstance(each, ast.ObjectWithArgs):
            names.append(dotted(each.objname))
        elif isinstance(each, ast.TypeName):
            names.append(dotted(each.names))
        elif isinstance(each, ast.String):
            names.append(each.sval or "")
        else:
            names.append(dotted(each))
    return names


def created(node: Node) -> Node:
    """The relation that a statement makes, as a RangeVar; None if it makes none."""
    if isinstance(node, ast.CreateForeignTableStmt):
        node = node.base
    if isinstance(node, ast.CreateStmt):
        return node.relation
    if isinstance(node, ast.CreateTableAsStmt):
        return node.into.rel if node.into is not None else None
    if isinstance(node, ast.SelectStmt):
        return node.intoClause.rel if node.intoClause is not None else None
    if isinstance(node, ast.ViewStmt):
        return node.view
    return node.sequence if isinstance(node, ast.CreateSeqStmt) else None


_BESIDE: Final = frozenset({ObjectType.OBJECT_POLICY, ObjectType.OBJECT_TRIGGER})


def drop(catalogue: Catalogue, node: Node) -> None:
    """Forget what is dropped."""
    kind = node.removeType
    if kind in _BESIDE:
        _drop_from_tables(catalogue, node)
        return
    for name in dropped_names(node):
        if kind in RELATIONS:
            forget_relation(catalogue, name)
            catalogue.gone.add(name)
        elif kind == ObjectType.OBJECT_SEQUENCE:
            catalogue.sequences.discard(name)
        elif kind == ObjectType.OBJECT_INDEX:
            catalogue.indexes.pop(name, None)
        elif kind in _TYPES:
            for known in (catalogue.enums, catalogue.domains):
                known.pop(name, None)
            catalogue.types.discard(name)
        elif kind in {ObjectType.OBJECT_FUNCTION, ObjectType.OBJECT_PROCEDURE}:
            catalogue.functions.pop(name, None)
        elif kind == ObjectType.OBJECT_PUBLICATION:
            _drop_publication(catalogue, name)


def _drop_publication(catalogue: Catalogue, name: str) -> None:
    catalogue.publications.pop(name, None)
    for table in catalogue.tables.values():
        table.publications.discard(name)


def _drop_from_tables(catalogue: Catalogue, node: Node) -> None:
    for each in node.objects or ():
        words = strings(each)
        table = catalogue.table(qualified(words[-3] if words[2:] else None, words[-2]))
        if table is not None:
            of_table = node.removeType == ObjectType.OBJECT_TRIGGER
            (table.triggers if of_table else table.policies).discard(words[-1])


def forget_relation(catalogue: Catalogue, name: str) -> None:
    """Forget a table with all that hangs on it."""
    gone = catalogue.tables.pop(name, None)
    catalogue.view_columns.pop(name, None)
    for index in [each.name for each in catalogue.indexes_on(name)]:
        del catalogue.indexes[index]
    catalogue.sequences -= {f"{name}_{each}_seq" for each in (gone.columns if gone else ())}
    parent = catalogue.tables.get(gone.parent) if gone and gone.parent else None
    if parent is not None:
        parent.partitions.discard(name)
        if parent.default_partition == name:
            parent.default_partition = None


def rename(catalogue: Catalogue, node: Node) -> None:
    """Let an object go by its new name."""
    kind, new = node.renameType, node.newname
    if kind in RELATIONS and node.relation is not None:
        old = relation_name(node.relation)
        change_relation_name(catalogue, old, qualified(node.relation.schemaname, new))
    elif kind == ObjectType.OBJECT_SEQUENCE and node.relation is not None:
        catalogue.sequences.discard(relation_name(node.relation))
        catalogue.sequences.add(qualified(node.relation.schemaname, new))
    elif kind in {ObjectType.OBJECT_COLUMN, ObjectType.OBJECT_TABCONSTRAINT}:
        _rename_inside(catalogue, node)
    elif kind == ObjectType.OBJECT_INDEX and node.relation is not None:
        index = catalogue.indexes.pop(relation_name(node.relation), None)
        if index is not None:
            index.name = qualified(node.relation.schemaname, new)
            catalogue.indexes[index.name] = index
    elif kind in _TYPES:
        _change_type_name(catalogue, dotted(node.object), new)


def _rename_inside(catalogue: Catalogue, node: Node) -> None:
    if node.relation is None:
        return
    name = relation_name(node.relation)
    table = catalogue.table(name)
    of_column = node.renameType == ObjectType.OBJECT_COLUMN
    if table is None and of_column and not catalogue.complete:
        table = catalogue.tables[name] = Table(name, complete=False)
    if table is None:
        return
    if of_column:
        table.gone_columns = (table.gone_columns | {node.subname}) - {node.newname}
    places: Any = table.columns if of_column else table.constraints
    found = places.pop(node.subname, None)
    if found is not None:
        found.name = node.newname
        places[node.newname] = found


def _change_type_name(catalogue: Catalogue, old: str, bare: str) -> None:
    new = qualified(old.rpartition(".")[0], bare)
    for known in (catalogue.enums, catalogue.domains):
        if old in known:
            known[new] = known.pop(old)  # type: ignore[assignment] # each to its own kind
    for table in catalogue.tables.values():
        for column in table.columns.values():
            if column.type is not None and column.type.name == old:
                column.type = type(column.type)(new, column.type.modifiers, column.type.array)


def change_relation_name(catalogue: Catalogue, old: str, new: str) -> None:
    """Let a table go by its new name everywhere."""
    catalogue.gone = (catalogue.gone | {old}) - {new}
    table = catalogue.tables.pop(old, None)
    if table is None:
        return
    table.name = new
    catalogue.tables[new] = table
    for index in catalogue.indexes.values():
        index.table = new if index.table == old else index.table
    for other in catalogue.tables.values():
        other.parent = new if other.parent == old else other.parent
        for constraint in other.constraints.values():
            if constraint.references == old:
                constraint.references = new
    for view, reads in catalogue.view_columns.items():
        catalogue.view_columns[view] = {(new if t == old else t, c) for t, c in reads}


def move(catalogue: Catalogue, node: Node) -> None:
    """SET SCHEMA."""
    moved: dict[ObjectType, Callable[[], None]] = {}
    if node.relation is not None and node.objectType in RELATIONS:
        old = relation_name(node.relation)
        moved[node.objectType] = lambda: change_relation_name(
            catalogue, old, qualified(node.newschema, node.relation.relname)
        )
    moved.get(node.objectType, lambda: None)()
