"""Which relations a query names, and whether it computes something out of columns that are hidden.

The server traces a column of a result to the column of the table that it is, through joins and
subqueries (`origins`), and nothing beyond that. So whatever is computed or united in a query that
mentions a hidden column where it could become a value is taken to hold it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import SetOperation, SubLinkType
from pglast.parser import parse_sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: What is in them decides which rows there are, and in which order; it is not part of any.
_CONDITIONS: Final = {
    ast.SelectStmt: {
        "whereClause", "havingClause", "groupClause", "sortClause", "windowClause",
        "distinctClause",
    },
    ast.JoinExpr: {"quals"},
}  # fmt: skip


@dataclass(frozen=True)
class _Hidden:
    columns: frozenset[str]
    rows: frozenset[str]
    """What a whole row with a hidden column goes by in the query."""


def relations_of(sql: str) -> frozenset[str]:
    """The names of all relations that a statement speaks of, in whatever schema."""
    found = (node.relname for node in _all(parse_sql(sql)) if isinstance(node, ast.RangeVar))
    return frozenset(name for name in found if name is not None)


def computes_from(sql: str, hidden: Mapping[str, frozenset[str]]) -> bool:
    """Whether a query may put a value of a hidden column into something else.

    Args:
        sql: one query.
        hidden: the hidden columns by the name of their relation; it has no other relations.
    """
    [statement] = parse_sql(sql)
    query = statement.stmt
    named = [
        node for node in _all(query) if isinstance(node, ast.RangeVar) and node.relname in hidden
    ]
    if not named:
        return False
    aliases = [node.alias for node in named if node.alias is not None]
    if any(alias.colnames for alias in aliases):
        return True  # under other names, which nobody follows here
    rows = {node.relname for node in named} | {alias.aliasname for alias in aliases}
    wanted = _Hidden(
        frozenset(column for node in named for column in hidden[node.relname or ""]),
        frozenset(name for name in rows if name),
    )
    return _in_query(query, wanted)


def _in_query(query: object, hidden: _Hidden) -> bool:
    """Columns that the outermost query gives as they are can be traced; nothing else can."""
    if not isinstance(query, ast.SelectStmt) or query.op != SetOperation.SETOP_NONE:
        return _mentions(query, hidden)
    computed = [
        target
        for target in query.targetList or ()
        if not isinstance(getattr(target, "val", None), ast.ColumnRef)
    ]
    rest = [
        getattr(query, name)
        for name in query
        if name not in _CONDITIONS[ast.SelectStmt] | {"targetList"}
    ]
    return _mentions((*computed, *rest), hidden)


def _mentions(node: object, hidden: _Hidden) -> bool:
    if isinstance(node, tuple):
        return any(_mentions(one, hidden) for one in node)
    if not isinstance(node, ast.Node) or _gives_nothing_away(node):
        return False
    if isinstance(node, ast.ColumnRef):
        return _is_hidden(node.fields or (), hidden)
    if isinstance(node, ast.A_Indirection) and _is_hidden(node.indirection or (), hidden):
        return True
    left_out = _CONDITIONS.get(type(node), set())
    return any(_mentions(getattr(node, name), hidden) for name in node if name not in left_out)


def _is_hidden(fields: tuple[object, ...], hidden: _Hidden) -> bool:
    last = fields[-1] if fields else None
    if isinstance(last, ast.A_Star):
        return True
    return isinstance(last, ast.String) and last.sval in hidden.columns | hidden.rows


def _gives_nothing_away(node: ast.Node) -> bool:
    if isinstance(node, ast.SubLink):
        return node.subLinkType == SubLinkType.EXISTS_SUBLINK
    if isinstance(node, ast.FuncCall):
        name = (node.funcname or (None,))[-1]
        return isinstance(name, ast.String) and name.sval == "count"
    return isinstance(node, ast.NullTest)


def _all(node: object) -> Iterator[ast.Node]:
    if isinstance(node, tuple):
        for one in node:
            yield from _all(one)
    elif isinstance(node, ast.Node):
        yield node
        for name in node:
            yield from _all(getattr(node, name))
