"""What a statement makes of the catalogue: history, and the statements before in the same file."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import FunctionParameterMode, ObjectType

from bounty_ops.migrating.lint import learning_alter, learning_beside, learning_names
from bounty_ops.migrating.lint.bounds import read_bound
from bounty_ops.migrating.lint.columns import add_column, add_constraint, index_of_constraint
from bounty_ops.migrating.lint.schema import (
    Column,
    Domain,
    Function,
    Index,
    Table,
)
from bounty_ops.migrating.lint.script import read_script
from bounty_ops.migrating.lint.sqltypes import read_type
from bounty_ops.migrating.lint.tree import (
    below,
    column_names,
    dotted,
    last_name,
    option,
    qualified,
    relation_name,
    source_text,
    strings,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.lint.schema import Catalogue
    from bounty_ops.migrating.lint.tree import Node


def learn(catalogue: Catalogue, node: Node) -> None:
    """Let a statement that succeeded leave its mark."""
    handler = _LEARNING.get(type(node))
    if handler is not None:
        handler(catalogue, node)
    made = learning_names.created(node)
    if made is not None:
        catalogue.gone.discard(relation_name(made))


def learn_script(catalogue: Catalogue, sql: str) -> None:
    """Let a whole earlier file leave its marks; what cannot be read is passed over."""
    for statement in read_script(sql):
        with suppress(RecursionError):  # what is nested so deeply defines nothing of interest
            learn(catalogue, statement.node)
        if isinstance(statement.node, ast.DoStmt | ast.CallStmt):
            catalogue.gone.clear()  # it may have made them again


def _create_table(catalogue: Catalogue, node: Node) -> None:
    name = relation_name(node.relation)
    # What a server shows already has had this, and shows more of it.
    if name in catalogue.tables and (node.if_not_exists or catalogue.complete):
        return
    table = Table(name, unlogged=node.relation.relpersistence == "u")
    if node.partspec is not None:
        table.kind = "partitioned"
        table.partition_columns = tuple(
            each.name for each in node.partspec.partParams or () if each.name
        )
    parents = [relation_name(each) for each in node.inhRelations or ()]
    for parent in parents:
        _inherit(catalogue, table, parent)
    if node.partbound is not None and parents:
        table.parent = parents[0]
        table.bound = read_bound(node.partbound)
        _join(catalogue, parents[0], name, is_default=bool(node.partbound.is_default))
    for element in node.tableElts or ():
        _add_element(catalogue, table, element)
        if isinstance(element, ast.ColumnDef):
            learning_beside.sequence_of_column(catalogue, name, element)
    for each in node.constraints or ():
        add_constraint(table, each)
    catalogue.tables[name] = table
    for constraint in table.constraints.values():
        index_of_constraint(catalogue, table, constraint)
    if node.relation.schemaname == "pg_temp":
        table.rows = 0


def _add_element(catalogue: Catalogue, table: Table, element: Node) -> None:
    if isinstance(element, ast.ColumnDef):
        add_column(table, element)
    elif isinstance(element, ast.Constraint):
        add_constraint(table, element)
    elif isinstance(element, ast.TableLikeClause):
        _inherit(catalogue, table, relation_name(element.relation))


def _inherit(catalogue: Catalogue, table: Table, parent: str) -> None:
    known = catalogue.table(parent)
    if known is None:
        table.complete = False
        return
    for column in known.columns.values():
        table.columns.setdefault(
            column.name, Column(column.name, column.type, not_null=column.not_null)
        )


def _join(catalogue: Catalogue, parent: str, child: str, *, is_default: bool) -> None:
    known = catalogue.tables.setdefault(parent, Table(parent, complete=False))
    known.kind = "partitioned"
    known.partitions.add(child)
    if is_default:
        known.default_partition = child


def _create_index(catalogue: Catalogue, node: Node) -> None:
    table = relation_name(node.relation)
    parameters = node.indexParams or ()
    columns = tuple(each.name for each in parameters if each.name)
    bare = node.idxname or "_".join([table.rpartition(".")[2], *(columns or ("expr",)), "idx"])
    name = qualified(node.relation.schemaname, bare)
    if node.if_not_exists and name in catalogue.indexes:
        return
    expressions = [each.expr for each in parameters if each.expr is not None]
    catalogue.indexes[name] = Index(
        name,
        table,
        columns,
        unique=bool(node.unique),
        partial=node.whereClause is not None,
        expressions=bool(expressions),
        depends_on=frozenset({*columns, *column_names([*expressions, node.whereClause])}),
    )


def _create_domain(catalogue: Catalogue, node: Node) -> None:
    name = dotted(node.domainname)
    domain = Domain(name, read_type(node.typeName))
    for each in node.constraints or ():
        learning_alter.constrain_domain(domain, each)
    catalogue.domains[name] = domain


def _create_enum(catalogue: Catalogue, node: Node) -> None:
    catalogue.enums[dotted(node.typeName)] = strings(node.vals)


def _create_type(catalogue: Catalogue, node: Node) -> None:
    name = relation_name(node.typevar) if hasattr(node, "typevar") else dotted(node.typeName)
    catalogue.types.add(name)


def _create_function(catalogue: Catalogue, node: Node) -> None:
    name = dotted(node.funcname)
    language = option(node.options, "language")
    volatility = option(node.options, "volatility")
    body = option(node.options, "as")
    known = catalogue.functions.get(name)
    word = volatility.arg.sval if volatility is not None else "volatile"
    if catalogue.function_names:
        catalogue.function_names.add(name.rpartition(".")[2])
    catalogue.functions[name] = Function(
        name,
        # One name may stand for several functions: one that is volatile decides.
        volatile=word == "volatile" or (known is not None and known.volatile and not node.replace),
        immutable=word == "immutable",
        arguments=", ".join(argument_types(node)) if known is None or node.replace else None,
        argument_names=tuple(each.name or "" for each in node.parameters or ()),
        returns=read_type(node.returnType),
        language=language.arg.sval.lower() if language is not None else "sql",
        body=strings(body.arg)[0] if body is not None and strings(body.arg) else "",
    )
    if node.sql_body is not None:
        catalogue.functions[name].body = ";\n".join(
            source_text(each) for each in below(node.sql_body, ast.SelectStmt, ast.InsertStmt,
                                                ast.UpdateStmt, ast.DeleteStmt)
        )  # fmt: skip


def argument_types(node: Node) -> list[str]:
    """The types of the arguments that tell one function from others of its name."""
    given = [each for each in node.parameters or () if each.mode not in _RESULTS]
    return [str(read_type(each.argType)) for each in given]


_RESULTS: Final = frozenset({
    FunctionParameterMode.FUNC_PARAM_OUT, FunctionParameterMode.FUNC_PARAM_TABLE,
})  # fmt: skip


def _create_view(catalogue: Catalogue, node: Node) -> None:
    name = relation_name(node.view)
    names = [str(each.sval) for each in node.aliases or ()] or _column_titles(node.query)
    catalogue.tables[name] = Table(
        name,
        kind="view",
        complete=False,
        columns={each: Column(each, None) for each in names},
    )
    catalogue.view_columns[name] = _reads(catalogue, node.query)


def _column_titles(query: Node) -> list[str]:
    """What the columns of a query are called; nothing where that is not written down."""
    targets = query.targetList or ()
    titles = [each.name or last_name(each.val) for each in targets]
    return [each for each in titles if each] if all(titles) else []


def _create_table_as(catalogue: Catalogue, node: Node) -> None:
    name = relation_name(node.into.rel)
    if node.if_not_exists and name in catalogue.tables:
        return
    materialized = node.objtype == ObjectType.OBJECT_MATVIEW
    catalogue.tables[name] = Table(
        name,
        kind="materialized" if materialized else "table",
        complete=False,
        populated=not node.into.skipData,
    )
    if materialized:
        catalogue.view_columns[name] = _reads(catalogue, node.query)


def _reads(catalogue: Catalogue, query: Node) -> set[tuple[str, str]]:
    columns = column_names(query)
    every = any(True for _ in below(query, ast.A_Star))
    found = set()
    for relation in below(query, ast.RangeVar):
        name = relation_name(relation)
        table = catalogue.table(name)
        known = set(table.columns) if table else set()
        named = (known & columns) if known else columns
        found |= {(name, column) for column in (known if every and known else named)}
    return found


def _refresh(catalogue: Catalogue, node: Node) -> None:
    name = relation_name(node.relation)
    if name in catalogue.tables:
        catalogue.tables[name].populated = not node.skipData


def _reindex(catalogue: Catalogue, node: Node) -> None:
    if node.relation is None:
        return
    name = relation_name(node.relation)
    for each in catalogue.indexes.values():
        if name in {each.name, each.table}:
            each.valid = True


_LEARNING: Final[dict[type, Callable[[Catalogue, Node], None]]] = {
    ast.CreateStmt: _create_table,
    ast.IndexStmt: _create_index,
    ast.CreateDomainStmt: _create_domain,
    ast.CreateEnumStmt: _create_enum,
    ast.CompositeTypeStmt: _create_type,
    ast.CreateRangeStmt: _create_type,
    ast.CreateFunctionStmt: _create_function,
    ast.ViewStmt: _create_view,
    ast.CreateTableAsStmt: _create_table_as,
    ast.CreatePolicyStmt: learning_beside.create_policy,
    ast.CreateTrigStmt: learning_beside.create_trigger,
    ast.CreatePublicationStmt: learning_beside.create_publication,
    ast.CreateSeqStmt: learning_beside.create_sequence,
    ast.RefreshMatViewStmt: _refresh,
    ast.ReindexStmt: _reindex,
    ast.AlterTableStmt: learning_alter.alter_table,
    ast.AlterDomainStmt: learning_alter.alter_domain,
    ast.AlterEnumStmt: learning_alter.alter_enum,
    ast.AlterPublicationStmt: learning_alter.alter_publication,
    ast.DropStmt: learning_names.drop,
    ast.RenameStmt: learning_names.rename,
    ast.AlterObjectSchemaStmt: learning_names.move,
}
