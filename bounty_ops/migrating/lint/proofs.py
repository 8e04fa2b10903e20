"""What a validated CHECK proves, so that PostgreSQL leaves a scan out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pglast import ast
from pglast.enums import BoolExprType, NullTestType

from bounty_ops.migrating.lint.tree import (
    column_names,
    constant,
    first_expression,
    last_name,
    source_text,
    strings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.schema import Table
    from bounty_ops.migrating.lint.tree import Node

Test = tuple[str, str, str]
"""Column, operator and normalised value."""

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}


def not_null_is_proved(
    table: Table | None, column: str, *, without: AbstractSet[str] = frozenset()
) -> bool:
    """Whether a validated check of the table says that the column is never null.

    As `NotNullImpliedByRelConstraints` has it: one of the terms of a conjunction says IS NOT NULL.
    """
    return any((column, "is not null", "") in terms for terms in checks_of(table, without=without))


def looks_proved(exam: Examination, table: str, column: str) -> bool:
    """Whether the file itself validated a check that can only be about this."""
    known = exam.model.table(table)
    if known is not None and known.complete:
        return False
    return any(where == table and column.lower() in name.lower() for where, name in exam.validated)


def checks_of(
    table: Table | None, *, without: AbstractSet[str] = frozenset()
) -> Iterator[set[Test]]:
    """The terms of each validated check of a table."""
    for each in table.constraints.values() if table else ():
        if each.name not in without and each.kind == "check" and each.valid and each.expression:
            yield set(terms_of(each.expression))


def bounds_are_proved(table: Table | None, wanted: Sequence[Test]) -> bool:
    """Whether validated checks and NOT NULL together say all of `wanted`."""
    known: set[Test] = set().union(*checks_of(table))
    for column in table.columns.values() if table else ():
        if column.not_null:
            known.add((column.name, "is not null", ""))
    return bool(wanted) and all(each in known for each in wanted)


def excludes(table: Table | None, bounds: Sequence[Test]) -> bool:
    """Whether a validated check says that no row is within these bounds."""
    wanted = set(bounds)
    for each in table.constraints.values() if table and wanted else ():
        if each.kind == "check" and each.valid and each.expression:
            node = first_expression(f"SELECT {each.expression}")
            if _contradicts(node, wanted):
                return True
    return False


_OPPOSITES = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "=": "<>", "<>": "="}


def _contradicts(node: Node, bounds: set[Test]) -> bool:
    """Whether a condition cannot hold together with the bounds."""
    if isinstance(node, ast.BoolExpr):
        parts = node.args or ()
        if node.boolop == BoolExprType.AND_EXPR:
            return any(_contradicts(each, bounds) for each in parts)
        if node.boolop == BoolExprType.OR_EXPR:
            return all(_contradicts(each, bounds) for each in parts)
        return set(_terms(parts[0])) <= bounds | _not_null(bounds) and bool(list(_terms(parts[0])))
    if isinstance(node, ast.NullTest) and node.nulltesttype == NullTestType.IS_NULL:
        return True  # no row within bounds is null
    return any(
        (column, _OPPOSITES.get(operator, ""), value) in bounds
        for column, operator, value in _terms(node)
    )


def _not_null(bounds: set[Test]) -> set[Test]:
    return {(column, "is not null", "") for column, _, _ in bounds}


def terms_of(expression: str) -> list[Test]:
    """The terms of a conjunction, as far as they are simple."""
    return list(_terms(first_expression(f"SELECT {expression}")))


def _terms(node: Node) -> Iterator[Test]:
    if isinstance(node, ast.BoolExpr) and node.boolop == BoolExprType.AND_EXPR:
        for each in node.args or ():
            yield from _terms(each)
    elif isinstance(node, ast.NullTest) and node.nulltesttype == NullTestType.IS_NOT_NULL:
        if (column := last_name(node.arg)) is not None:
            yield column, "is not null", ""
    elif isinstance(node, ast.A_Expr):
        yield from _comparison(node)


def _comparison(node: Node) -> Iterator[Test]:
    operator = (strings(node.name) or [""])[-1]
    left, right = last_name(node.lexpr), last_name(node.rexpr)
    if left is not None:
        yield left, operator, value_of(node.rexpr)
    elif right is not None and operator in _MIRRORED:
        yield right, _MIRRORED[operator], value_of(node.lexpr)


def value_of(node: Node) -> str:
    """A constant in one spelling, without its casts; times as moments."""
    while isinstance(node, ast.TypeCast):
        node = node.arg
    text = constant(node)
    return source_text(node) if text is None else _moment(text) or text


def _moment(text: str) -> str | None:
    """A date or time in one spelling; the zone of the session stands for UTC."""
    plain = re.sub(r"([+-]\d\d)$", r"\1:00", text.strip().replace(" ", "T", 1))
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        return None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return found.isoformat()


def columns_in(expression: str) -> frozenset[str]:
    """The columns that an expression names."""
    return frozenset(column_names(first_expression(f"SELECT {expression}")))
