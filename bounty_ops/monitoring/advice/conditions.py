"""Which columns of which tables a statement looks rows up by, by PostgreSQL's own grammar."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What stands for a literal in a stored text: the grammar knows only parameters.
_PLACEHOLDER: Final = re.compile(r"\?")
#: Of thousands of statements the same few hundred come each time.
_REMEMBERED: Final = 4_096
_EQUALITIES: Final = frozenset({"AEXPR_OP", "AEXPR_IN", "AEXPR_OP_ANY"})


class Lookup(NamedTuple):
    """Rows of one table, by values of columns."""

    table: str
    """With its schema where the statement names it."""
    columns: tuple[str, ...]


@lru_cache(maxsize=_REMEMBERED)
def lookups(text: str) -> tuple[Lookup, ...]:
    """Lookups by equality with something that the caller gives.

    A text that is cut off, or that the grammar does not know, looks up nothing.
    """
    from pglast import parse_sql  # noqa: PLC0415 - slow to import, and most commands do not need it
    from pglast.parser import ParseError  # noqa: PLC0415 - as above

    try:
        parsed = parse_sql(_PLACEHOLDER.sub("$1", text))
    except (ParseError, ValueError):
        return ()
    return tuple(found for raw in parsed for found in _of(raw.stmt))


def _of(statement: Any) -> Iterator[Lookup]:  # noqa: ANN401 - a node of the grammar
    kind = type(statement).__name__
    if kind == "SelectStmt":
        sources = list(_relations(statement.fromClause or ()))
    elif kind in {"UpdateStmt", "DeleteStmt"}:
        extra = statement.fromClause if kind == "UpdateStmt" else statement.usingClause
        sources = [_named(statement.relation), *_relations(extra or ())]
    else:
        return
    names = dict(sources)
    columns: dict[str, set[str]] = {}
    for qualifier, column in _equalities(statement.whereClause):
        table = names.get(qualifier) if qualifier else _only(names)
        if table is not None:
            columns.setdefault(table, set()).add(column)
    for table, found in columns.items():
        yield Lookup(table, tuple(sorted(found)))


def _relations(sources: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - nodes
    for source in sources:
        kind = type(source).__name__
        if kind == "RangeVar":
            yield _named(source)
        elif kind == "JoinExpr":
            yield from _relations((source.larg, source.rarg))
        else:
            # A subquery: what it hides is not looked into, but names are no longer unambiguous.
            yield f"({id(source)})", ""


def _named(relation: Any) -> tuple[str, str]:  # noqa: ANN401 - a node
    table = ".".join(filter(None, (relation.schemaname, relation.relname)))
    return relation.alias.aliasname if relation.alias else relation.relname, table


def _only(names: dict[str, str]) -> str | None:
    return next(iter(names.values())) if len(names) == 1 else None


def _equalities(condition: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a node
    """Qualifier (or nothing) and name of each column that must equal a given value."""
    kind = type(condition).__name__
    if kind == "BoolExpr" and condition.boolop.name == "AND_EXPR":
        for part in condition.args:
            yield from _equalities(part)
    elif kind == "A_Expr" and condition.kind.name in _EQUALITIES and _is_equal(condition.name):
        yield from _column(condition.lexpr, condition.rexpr)
        yield from _column(condition.rexpr, condition.lexpr)


def _is_equal(operator: Any) -> bool:  # noqa: ANN401 - nodes
    return bool(operator) and operator[-1].sval == "="


def _column(side: Any, other: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - nodes
    if type(side).__name__ != "ColumnRef" or not _given(other):
        return
    names = [getattr(field, "sval", None) for field in side.fields]
    if names[-1] is not None:
        yield (names[-2] or "" if len(names) > 1 else ""), names[-1]


def _given(value: Any) -> bool:  # noqa: ANN401 - a node, or a tuple of them
    """Whether it comes from the caller: parameters and constants, casts and lists of them."""
    if isinstance(value, tuple | list):
        return all(_given(part) for part in value)
    kind = type(value).__name__
    if kind == "TypeCast":
        return _given(value.arg)
    if kind == "A_ArrayExpr":
        return _given(value.elements or ())
    return kind in {"ParamRef", "A_Const"}
