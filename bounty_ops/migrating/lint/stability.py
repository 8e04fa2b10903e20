"""Which operators, casts and functions are not IMMUTABLE for the types that they are used with.

An index and a generated column ask for that. What TimeZone, DateStyle or the labels of an enum
decide is only STABLE; of a function that has several versions the types of its arguments decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import A_Expr_Kind

from bounty_ops.migrating.lint.sqltypes import SqlType, read_type
from bounty_ops.migrating.lint.tree import below, last_name, plain_function, strings

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.schema import Catalogue
    from bounty_ops.migrating.lint.tree import Node

_TEXTS: Final = frozenset({"text", "varchar", "bpchar", "citext"})
_ZONELESS: Final = frozenset({"date", "timestamp"})
_OF_ZONE: Final = frozenset({
    "age", "date", "date_part", "date_trunc", "extract", "time", "timestamp", "timetz",
})  # fmt: skip
"""Functions that are STABLE for timestamptz, and IMMUTABLE for the others."""

_TIMES: Final = frozenset({"date", "timestamp", "timestamptz"})
_COMPARISONS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
_TRUNCATES_IN_ZONE: Final = 16
_INTERVALS_BY_STYLE: Final = 15
"""Since then date_trunc() with a zone is immutable, and the text of an interval is not."""

_FLIPPED: Final = {"timestamptz": SqlType("timestamp"), "timestamp": SqlType("timestamptz")}


def changing_operations(
    catalogue: Catalogue, table: str, expression: Node, major: int
) -> list[str]:
    """What in an expression over a table's columns is not immutable, as far as types are known."""
    look = _Look(catalogue, table, major)
    return [
        found
        for each in below(expression, ast.TypeCast, ast.FuncCall, ast.A_Expr)
        if (found := look.changing(each))
    ]


class _Look:
    def __init__(self, catalogue: Catalogue, table: str, major: int) -> None:
        self._catalogue = catalogue
        self._table = table
        self._major = major

    def changing(self, node: Node) -> str:
        if isinstance(node, ast.TypeCast):
            return self._cast(node)
        return self._call(node) if isinstance(node, ast.FuncCall) else self._operator(node)

    def _type(self, node: Node) -> SqlType | None:
        """The type of an expression, where it can be told without the server."""
        declared = None
        if isinstance(node, ast.TypeCast):
            declared = read_type(node.typeName)
        elif isinstance(node, ast.ColumnRef):
            column = self._catalogue.column(self._table, last_name(node) or "")
            declared = column.type if column is not None else None
        elif isinstance(node, ast.FuncCall):
            declared = self._type_of_call(node)
        elif isinstance(node, ast.CoalesceExpr):
            types = [self._type(each) for each in node.args or ()]
            declared = next((each for each in types if each is not None), None)
        elif isinstance(node, ast.A_Expr):
            declared = self._type_of_operation(node)
        return self._catalogue.base_type(declared)

    def _type_of_operation(self, node: Node) -> SqlType | None:
        sign, left = strings(node.name), self._type(node.lexpr)
        if sign in (["->>"], ["#>>"]):
            return SqlType("text")
        if sign in (["+"], ["-"]):
            return left if left is not None and left.name in _TIMES else None
        sides = [left, self._type(node.rexpr)] if sign == ["||"] else []
        return next((each for each in sides if each and each.name in _TEXTS), None)

    def _type_of_call(self, node: Node) -> SqlType | None:
        name, arguments = plain_function(node.funcname), list(node.args or ())
        if name == "timezone" and len(arguments) > 1:
            found = self._type(arguments[1])
            return _FLIPPED.get(found.name) if found is not None else None
        if name == "date_trunc" and len(arguments) > 1:
            return self._type(arguments[1])
        return SqlType("text") if name in {"lower", "upper", "btrim", "replace"} else None

    def _cast(self, node: Node) -> str:
        old, new = self._type(node.arg), self._catalogue.base_type(read_type(node.typeName))
        if old is None or new is None or (old.name, old.array) == (new.name, new.array):
            return ""
        zones = {old.name, new.name}
        by_zone = "timestamptz" in zones and bool(zones & {*_ZONELESS, "time", "timetz"})
        spelled = new.name in _TEXTS and (
            old.array
            or old.name in _TIMES
            or old.name in self._catalogue.enums
            or (old.name == "interval" and self._major >= _INTERVALS_BY_STYLE)
        )
        read = old.name in _TEXTS and (new.name in _TIMES or new.name in self._catalogue.enums)
        return f"the cast from {old} to {new}" if by_zone or spelled or read else ""

    def _call(self, node: Node) -> str:
        name = plain_function(node.funcname)
        types = [found.name for each in node.args or () if (found := self._type(each))]
        if name in _OF_ZONE and "timestamptz" in types and not self._names_zone(node, name):
            return f"{name}() of a timestamptz"
        return f"{name}()" if name == "timestamptz" and set(types) & _ZONELESS else ""

    def _names_zone(self, node: Node, name: str) -> bool:
        """Whether a call needs no TimeZone: age() of two times, date_trunc() with a zone."""
        count = len(node.args or ())
        zoned = count == len(("field", "time", "zone")) and self._major >= _TRUNCATES_IN_ZONE
        return (name == "age" and count > 1) or (name == "date_trunc" and zoned)

    def _operator(self, node: Node) -> str:
        if node.kind != A_Expr_Kind.AEXPR_OP or node.lexpr is None:
            return ""
        sign = (strings(node.name) or [""])[-1]
        left, right = self._type(node.lexpr), self._type(node.rexpr)
        names = {each.name for each in (left, right) if each is not None and not each.array}
        if "timestamptz" in names:
            shifted = sign == "+" or (sign == "-" and "interval" in names)
            if shifted or (sign in _COMPARISONS and names & _ZONELESS):
                return f"{sign} with a timestamptz"
        spelled = names & (_TIMES | self._catalogue.enums.keys())
        return f"|| with {min(spelled)}" if sign == "||" and spelled else ""
