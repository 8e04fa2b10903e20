"""What ALTER makes of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast.enums import AlterPublicationAction, AlterTableType, ConstrType

from bounty_ops.migrating.lint.bounds import read_bound
from bounty_ops.migrating.lint.columns import add_column, add_constraint, index_of_constraint
from bounty_ops.migrating.lint.learning_beside import sequence_of_column
from bounty_ops.migrating.lint.schema import Column, Domain, Table
from bounty_ops.migrating.lint.sqltypes import read_type
from bounty_ops.migrating.lint.tree import dotted, published, relation_name, source_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.lint.schema import Catalogue
    from bounty_ops.migrating.lint.tree import Node

    Handler = Callable[[Catalogue, Table, Node], None]


def alter_table(catalogue: Catalogue, node: Node) -> None:
    """Every subcommand of ALTER TABLE, in order."""
    name = relation_name(node.relation)
    if name in catalogue.indexes:
        return
    table = catalogue.tables.get(name)
    if table is None:
        if catalogue.complete and node.missing_ok:
            return
        table = catalogue.tables[name] = Table(name, complete=False)
    for command in node.cmds or ():
        handler = _COMMANDS.get(command.subtype)
        if handler is not None:
            handler(catalogue, table, command)


def _column(table: Table, name: str) -> Column:
    return table.columns.setdefault(name, Column(name, None))


def _add_column(catalogue: Catalogue, table: Table, command: Node) -> None:
    if command.missing_ok and command.def_.colname in table.columns:
        return
    before = set(table.constraints)
    add_column(table, command.def_)
    sequence_of_column(catalogue, table.name, command.def_)
    table.gone_columns.discard(command.def_.colname)
    for name in set(table.constraints) - before:
        index_of_constraint(catalogue, table, table.constraints[name])
    for child in table.partitions:
        if child in catalogue.tables:
            _add_column(catalogue, catalogue.tables[child], command)


def _drop_column(catalogue: Catalogue, table: Table, command: Node) -> None:
    table.columns.pop(command.name, None)
    table.gone_columns.add(command.name)
    for index in [each for each in catalogue.indexes_on(table.name)]:  # noqa: C416 - it shrinks
        if command.name in index.depends_on:
            del catalogue.indexes[index.name]
    for name, constraint in list(table.constraints.items()):
        if command.name in constraint.columns:
            del table.constraints[name]


def _change_type(_: Catalogue, table: Table, command: Node) -> None:
    _column(table, command.name).type = read_type(command.def_.typeName)


def _set_default(_: Catalogue, table: Table, command: Node) -> None:
    # SET DEFAULT NULL is DROP DEFAULT.
    text = source_text(command.def_) if command.def_ is not None else ""
    _column(table, command.name).default = "" if text.upper() == "NULL" else text


def _set_not_null(_: Catalogue, table: Table, command: Node) -> None:
    _column(table, command.name).not_null = True


def _drop_not_null(_: Catalogue, table: Table, command: Node) -> None:
    _column(table, command.name).not_null = False


def _add_identity(_: Catalogue, table: Table, command: Node) -> None:
    _column(table, command.name).identity = True


def _drop_identity(_: Catalogue, table: Table, command: Node) -> None:
    _column(table, command.name).identity = False


def _drop_expression(_: Catalogue, table: Table, command: Node) -> None:
    _column(table, command.name).generated = ""


def _add_constraint(catalogue: Catalogue, table: Table, command: Node) -> None:
    node = command.def_
    added = add_constraint(table, node)
    if added is None:
        return
    index = catalogue.indexes.pop(_index_name(table, node.indexname), None)
    if node.indexname and index is not None:
        # The index takes the name of the constraint.
        added.columns = index.columns
        for column in index.columns if added.kind == "primary" else ():
            _column(table, column).not_null = True
    if not node.skip_validation or added.kind in {"unique", "primary"}:
        index_of_constraint(catalogue, table, added)


def _index_name(table: Table, name: str | None) -> str:
    schema = table.name.rpartition(".")[0]
    return f"{schema}.{name}" if schema else name or ""


def _drop_constraint(catalogue: Catalogue, table: Table, command: Node) -> None:
    gone = table.constraints.pop(command.name, None)
    catalogue.indexes.pop(_index_name(table, command.name), None)
    if gone is not None and gone.kind == "notnull":
        for name in gone.columns:
            _column(table, name).not_null = False


def _validate(_: Catalogue, table: Table, command: Node) -> None:
    found = table.constraints.get(command.name)
    if found is None:
        return
    found.valid = True
    if found.kind == "notnull":
        for name in found.columns:
            _column(table, name).not_null = True


def _attach(catalogue: Catalogue, table: Table, command: Node) -> None:
    child = relation_name(command.def_.name)
    if table.name in catalogue.indexes:
        return
    table.kind = "partitioned"
    table.partitions.add(child)
    if command.def_.bound is not None and command.def_.bound.is_default:
        table.default_partition = child
    if child in catalogue.tables:
        catalogue.tables[child].parent = table.name
        catalogue.tables[child].bound = read_bound(command.def_.bound)


def _detach(catalogue: Catalogue, table: Table, command: Node) -> None:
    child = relation_name(command.def_.name)
    table.partitions.discard(child)
    if table.default_partition == child:
        table.default_partition = None
    if child in catalogue.tables:
        catalogue.tables[child].parent = None


def _row_security(on: bool) -> Handler:
    def handler(_: Catalogue, table: Table, _command: Node) -> None:
        table.row_security = on

    return handler


def _unlogged(on: bool) -> Handler:
    def handler(_: Catalogue, table: Table, _command: Node) -> None:
        table.unlogged = on

    return handler


_IDENTITIES: Final = {"n": "nothing", "f": "full", "i": "index", "d": "default"}


def _replica_identity(_: Catalogue, table: Table, command: Node) -> None:
    table.replica_identity = _IDENTITIES.get(command.def_.identity_type, "default")  # type: ignore[assignment] # the four values of the catalogue


_COMMANDS: Final[dict[AlterTableType, Handler]] = {
    AlterTableType.AT_AddColumn: _add_column,
    AlterTableType.AT_DropColumn: _drop_column,
    AlterTableType.AT_AlterColumnType: _change_type,
    AlterTableType.AT_ColumnDefault: _set_default,
    AlterTableType.AT_SetNotNull: _set_not_null,
    AlterTableType.AT_DropNotNull: _drop_not_null,
    AlterTableType.AT_AddIdentity: _add_identity,
    AlterTableType.AT_DropIdentity: _drop_identity,
    AlterTableType.AT_DropExpression: _drop_expression,
    AlterTableType.AT_AddConstraint: _add_constraint,
    AlterTableType.AT_DropConstraint: _drop_constraint,
    AlterTableType.AT_ValidateConstraint: _validate,
    AlterTableType.AT_AttachPartition: _attach,
    AlterTableType.AT_DetachPartition: _detach,
    AlterTableType.AT_EnableRowSecurity: _row_security(on=True),
    AlterTableType.AT_DisableRowSecurity: _row_security(on=False),
    AlterTableType.AT_SetLogged: _unlogged(on=False),
    AlterTableType.AT_SetUnLogged: _unlogged(on=True),
    AlterTableType.AT_ReplicaIdentity: _replica_identity,
}


def alter_domain(catalogue: Catalogue, node: Node) -> None:
    """ALTER DOMAIN: its constraints and its default."""
    domain = catalogue.domains.get(dotted(node.typeName))
    if domain is None:
        return
    if node.subtype == "C":
        constrain_domain(domain, node.def_)
    elif node.subtype == "X":
        domain.constraints.discard(node.name)
    elif node.subtype in {"O", "N"}:
        domain.not_null = node.subtype == "O"


def constrain_domain(domain: Domain, node: Node) -> None:
    """Add a constraint or a default to a domain."""
    if node.contype == ConstrType.CONSTR_CHECK:
        domain.constraints.add(node.conname or f"{domain.name}_check{len(domain.constraints)}")
    elif node.contype == ConstrType.CONSTR_NOTNULL:
        domain.not_null = True
    elif node.contype == ConstrType.CONSTR_DEFAULT:
        domain.default = source_text(node.raw_expr)


def alter_enum(catalogue: Catalogue, node: Node) -> None:
    """ADD VALUE and RENAME VALUE."""
    labels = catalogue.enums.get(dotted(node.typeName))
    if labels is None:
        if not node.oldVal:
            catalogue.some_labels.add((dotted(node.typeName), node.newVal))
        return
    if node.oldVal:
        if node.oldVal in labels:
            labels[labels.index(node.oldVal)] = node.newVal
    elif node.newVal not in labels:
        labels.append(node.newVal)


def alter_publication(catalogue: Catalogue, node: Node) -> None:
    """ADD, DROP and SET TABLE."""
    listed = published(node.pubobjects)
    if node.action == AlterPublicationAction.AP_SetObjects and listed:
        for table in catalogue.tables.values():
            table.publications.discard(node.pubname)
    for name in listed:
        table = catalogue.tables.setdefault(name, Table(name, complete=False))
        if node.action == AlterPublicationAction.AP_DropObjects:
            table.publications.discard(node.pubname)
        else:
            table.publications.add(node.pubname)
