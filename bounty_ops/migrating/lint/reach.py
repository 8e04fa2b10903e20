"""How many rows a WHERE clause lets through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pglast import ast
from pglast.enums import A_Expr_Kind, BoolExprType, NullTestType

from bounty_ops.migrating.lint.tree import (
    below,
    integer,
    last_name,
    relation_name,
    source_text,
    strings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from bounty_ops.migrating.lint.schema import Catalogue
    from bounty_ops.migrating.lint.tree import Node

_BATCH: Final = 100_000
"""More rows than this in one statement are no batch any more."""

_FEW: Final = 5_000.0
_BOOKKEEPING: Final = frozenset({"alembic_version", "schema_migrations", "__drizzle_migrations"})

_KEYS: Final = ("id", "uuid", "guid", "key", "slug", "email", "token", "sha", "hash", "ctid")
_CLASSES: Final = (
    "status", "state", "type", "kind", "role", "level", "region", "country", "currency", "lang",
    "locale", "category", "tier", "plan", "priority", "flag", "mode", "is", "has", "active",
    "enabled", "deleted", "archived", "visible", "published", "verified", "version",
)  # fmt: skip


Kind = Literal["all", "many", "unclear", "few"]
_FARTHEST_FIRST: Final[tuple[Kind, ...]] = ("all", "many", "unclear", "few")
_SHOWN: Final = 200


@dataclass(frozen=True)
class Reach:
    """How far a statement reaches, and how that is known."""

    kind: Kind
    why: str = ""


def of(
    model: Catalogue, node: Node, table: str, sources: Node, *, born: AbstractSet[str] = frozenset()
) -> Reach:
    """How many rows of `table` an UPDATE or DELETE changes."""
    if is_bookkeeping(table) or isinstance(node.whereClause, ast.CurrentOfExpr):
        return Reach("few")
    if _is_bounded([node.whereClause, node.withClause, sources]) or _only_values(sources):
        return Reach("few")
    where = node.whereClause
    if where is None:
        return Reach("many", "all that the join matches") if sources else Reach("all")
    if _is_listed(where, born):
        return Reach("unclear", "as many as the table has that this file fills")
    kind = _of_condition(model, table, where)
    return Reach(kind, source_text(where)[:_SHOWN] if kind in {"many", "unclear"} else "")


def is_bookkeeping(table: str) -> bool:
    """Whether a migration runner keeps its own few rows there."""
    return table.rpartition(".")[2] in _BOOKKEEPING


def _is_listed(where: Node, born: AbstractSet[str]) -> bool:
    """`id IN (SELECT id FROM picked)`, where this file has made `picked`."""
    if not isinstance(where, ast.SubLink) or where.testexpr is None:
        return False
    tables = [relation_name(each) for each in below(where.subselect, ast.RangeVar)]
    return bool(tables) and all(each in born for each in tables)


def _only_values(sources: Node) -> bool:
    return bool(sources) and all(
        isinstance(each, ast.RangeSubselect) and bool(getattr(each.subquery, "valuesLists", None))
        for each in sources
    )


def is_bounded(query: Node) -> bool:
    """Whether a LIMIT says how many rows a query finds at most."""
    return _is_bounded([query])


def _is_bounded(places: list[Node]) -> bool:
    """Whether a LIMIT stands in a subquery or a WITH query that it takes its rows from."""
    limits = [each.limitCount for each in below(places, ast.SelectStmt) if each.limitCount]
    return any((integer(each) or 0) <= _BATCH for each in limits)


def _of_condition(model: Catalogue, table: str, where: Node) -> Kind:
    if isinstance(where, ast.BoolExpr) and where.boolop == BoolExprType.AND_EXPR:
        return _of_conjunction(model, table, where.args or ())
    if isinstance(where, ast.BoolExpr) and where.boolop == BoolExprType.OR_EXPR:
        parts = {_of_condition(model, table, each) for each in where.args or ()}
        return next(each for each in _FARTHEST_FIRST if each in parts)
    if isinstance(where, ast.A_Const):
        # WHERE true; false, and null, let no row through.
        return "all" if getattr(where.val, "boolval", False) else "few"
    if is_always_true(model, table, where):
        return "all"
    return _of_comparison(model, table, where) if isinstance(where, ast.A_Expr) else "many"


def _of_conjunction(model: Catalogue, table: str, terms: Sequence[Node]) -> Kind:
    if _is_short_range(terms):
        return "few"
    parts = {_of_condition(model, table, each) for each in terms}
    if "few" in parts:
        return "few"
    if "unclear" in parts:
        return "unclear"
    return "many" if "many" in parts else "all"


def is_always_true(model: Catalogue, table: str, where: Node) -> bool:
    """Whether a condition cannot fail for any row."""
    if isinstance(where, ast.NullTest) and where.nulltesttype == NullTestType.IS_NOT_NULL:
        column = last_name(where.arg)
        known = model.column(table, column) if column else None
        return column in {"id", "ctid"} or (known is not None and known.not_null)
    if isinstance(where, ast.A_Expr) and strings(where.name) in (["="], [">="], ["<="]):
        return _are_the_same(where.lexpr, where.rexpr)
    return False


def _are_the_same(left: Node, right: Node) -> bool:
    """Whether both sides of a comparison are the same expression."""
    if type(left) is not type(right):
        return False  # the rule, and printing an expression is slow
    if isinstance(left, ast.ColumnRef):
        return strings(left.fields) == strings(right.fields)
    text = source_text(left)
    return bool(text) and text == source_text(right)


def _of_comparison(model: Catalogue, table: str, where: Node) -> Kind:
    column = last_name(where.lexpr) or last_name(where.rexpr)
    operator = (strings(where.name) or [""])[-1]
    if column is None:
        return "many"
    if where.kind == A_Expr_Kind.AEXPR_BETWEEN:
        return "few" if _width(where.rexpr) else "many"
    listed = where.kind == A_Expr_Kind.AEXPR_IN and operator == "="
    equal = where.kind in {A_Expr_Kind.AEXPR_OP, A_Expr_Kind.AEXPR_OP_ANY} and operator == "="
    joined = equal and last_name(where.lexpr) and last_name(where.rexpr)
    if joined or not (listed or equal):
        return "many"
    truth = isinstance(where.rexpr, ast.A_Const) and isinstance(where.rexpr.val, ast.Boolean)
    return _of_equality(model, table, column, truth=truth)


def _of_equality(model: Catalogue, table: str, column: str, *, truth: bool) -> Kind:
    known = model.table(table)
    if any(
        each.unique and each.columns == (column,) and not each.partial
        for each in model.indexes_on(table)
    ):
        return "few"
    estimated = _rows_of_one_value(known.rows, known.columns.get(column)) if known else None
    if estimated is not None:
        return "few" if estimated <= _FEW else "many"
    words = set(column.lower().split("_"))
    if words & set(_KEYS):
        return "few"
    return "many" if truth or words & set(_CLASSES) else "unclear"


def _rows_of_one_value(rows: float | None, column: object) -> float | None:
    distinct = getattr(column, "distinct", None)
    if rows is None or rows < 0 or not isinstance(distinct, float) or distinct == 0:
        return None
    # A negative number is the share of the rows, as in pg_stats.
    return 1 / -distinct if distinct < 0 else rows / distinct


def _is_short_range(terms: Node) -> bool:
    """`id >= 1 AND id < 1001`: both ends are there, and near."""
    ends: dict[str, dict[str, int | None]] = {}
    for each in terms:
        column = last_name(each.lexpr) if isinstance(each, ast.A_Expr) else None
        if column is not None:
            operator = (strings(each.name) or [""])[-1][:1]
            ends.setdefault(column, {})[operator] = integer(each.rexpr)
    for found in ends.values():
        low, high = found.get(">"), found.get("<")
        if "<" in found and ">" in found and (low is None or high is None or high - low <= _BATCH):
            return low is not None or _is_key(ends)
    return False


def _is_key(ends: dict[str, dict[str, int | None]]) -> bool:
    return any(set(column.lower().split("_")) & set(_KEYS) for column in ends)


def _width(bounds: Node) -> bool:
    if not isinstance(bounds, tuple | list) or len(bounds) != 2:  # noqa: PLR2004 - BETWEEN has two
        return False
    low, high = integer(bounds[0]), integer(bounds[1])
    return low is not None and high is not None and high - low <= _BATCH


def query_is_short(model: Catalogue, query: Node) -> bool:
    """Whether a query looks at a few rows: by key, or at the system's own tables."""
    if query.valuesLists:
        return True
    tables = list(below(query, ast.RangeVar))
    if all(each.schemaname in {"pg_catalog", "information_schema"} or
           each.relname.startswith("pg_") for each in tables):  # fmt: skip
        return True
    if query.limitCount is not None and not query.sortClause and query.whereClause is None:
        return (integer(query.limitCount) or _BATCH + 1) <= _BATCH
    if len(tables) == 1 and query.whereClause is not None:
        name = relation_name(tables[0])
        return _of_condition(model, name, query.whereClause) == "few"
    return _is_end_of_key(query)


def _is_end_of_key(query: Node) -> bool:
    """`max(id)`: an index answers it."""
    called = list(below(query.targetList, ast.FuncCall))
    names = {(strings(each.funcname) or [""])[-1] for each in called}
    return query.whereClause is None and bool(names & {"max", "min"}) and "count" not in names
