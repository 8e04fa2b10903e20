"""Reading PostgreSQL's parse tree: names, constants and what lies below a node."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.stream import RawStream

if TYPE_CHECKING:
    from collections.abc import Iterator

# The grammar has hundreds of kinds of node, and nearly all of their fields are optional. What a
# field holds is decided by the kind of the node, which the checks are sorted by.
Node: TypeAlias = Any

_DEFAULT_SCHEMA = "public"
_LONGEST = 2000
"""Nodes of an expression; printing takes more than linear time."""


def qualified(schema: str | None, name: str) -> str:
    """The name that everything here goes by: bare in `public`, else with its schema."""
    return name if schema in {None, "", _DEFAULT_SCHEMA} else f"{schema}.{name}"


def relation_name(relation: Node) -> str:
    """The name of a RangeVar."""
    return qualified(relation.schemaname, relation.relname)


def dotted(names: Node) -> str:
    """The name that a list of strings spells, as in DROP or in a function call."""
    words = strings(names)
    if not words:
        return ""
    return qualified(words[-2] if len(words) > 1 else None, words[-1])


def strings(names: Node) -> list[str]:
    """The texts of a list of String nodes."""
    return [each.sval or "" for each in names or () if isinstance(each, ast.String)]


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, without recursion: nesting has no limit here."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, ast.Node):
            yield current
            waiting.extend(getattr(current, name, None) for name in reversed(list(current)))
        elif isinstance(current, tuple | list):
            waiting.extend(reversed(current))


def below(node: Node, *kinds: type) -> Iterator[Node]:
    """Every node of one of these kinds at or below `node`."""
    return (each for each in walk(node) if isinstance(each, kinds))


def text_constants(node: Node) -> Iterator[str]:
    """Every string constant at or below `node`."""
    for each in below(node, ast.A_Const):
        text = constant(each)
        if text is not None:
            yield text


def constant(node: Node) -> str | None:
    """The text of a string constant."""
    value = node.val if isinstance(node, ast.A_Const) else None
    return (value.sval or "") if isinstance(value, ast.String) else None


def last_name(column: Node) -> str | None:
    """The column that a ColumnRef names, also behind casts; None for anything else."""
    while isinstance(column, ast.TypeCast):
        column = column.arg
    last = column.fields[-1] if isinstance(column, ast.ColumnRef) and column.fields else None
    return (last.sval or "") if isinstance(last, ast.String) else None


def first_expression(sql: str) -> Node:
    """The expression of `SELECT expression`, or None where that is not SQL."""
    try:
        [statement] = parse_sql(sql)
    except (ParseError, RecursionError, UnicodeError, ValueError):
        return None
    query: Node = statement.stmt
    targets = query.targetList if isinstance(query, ast.SelectStmt) else None
    return targets[0].val if targets else None


def column_names(node: Node) -> set[str]:
    """The columns that an expression names, without their tables."""
    names = (last_name(each) for each in below(node, ast.ColumnRef))
    return {each for each in names if each is not None}


def function_names(node: Node) -> list[str]:
    """The functions that an expression calls."""
    return [plain_function(each.funcname) for each in below(node, ast.FuncCall)]


def plain_function(names: Node) -> str:
    """The name of a function; `pg_catalog` goes without saying."""
    words = strings(names)
    if words and words[0] == "pg_catalog":
        words = words[1:]
    return qualified(words[-2] if len(words) > 1 else None, words[-1]) if words else ""


def source_text(node: Node) -> str:
    """An expression as SQL, in one spelling."""
    if next(islice(walk(node), _LONGEST, None), None) is not None:
        return ""
    try:
        return str(RawStream()(node))
    except (AttributeError, KeyError, NotImplementedError, RecursionError, TypeError, ValueError):
        return ""  # a printer that pglast lacks: what cannot be read proves nothing


def integer(node: Node) -> int | None:
    """The value of an integer constant, also of a negative one."""
    if isinstance(node, ast.A_Const) and isinstance(node.val, ast.Integer):
        return int(node.val.ival or 0)
    if isinstance(node, ast.A_Const) and isinstance(node.val, ast.Float):
        digits = str(node.val.fval)
        return int(digits) if digits.isdigit() else None
    if isinstance(node, ast.A_Expr) and node.lexpr is None and strings(node.name) == ["-"]:
        value = integer(node.rexpr)
        return None if value is None else -value
    return None


def option(options: Node, name: str) -> Node:
    """The DefElem of that name in a list of options, or None."""
    for each in options or ():
        if isinstance(each, ast.DefElem) and each.defname == name:
            return each
    return None


def flag(options: Node, name: str) -> bool:
    """Whether an option is there and not switched off."""
    found = option(options, name)
    return found is not None and truth(found.arg)


def truth(value: Node) -> bool:
    """What an option's value says; an option without a value is on."""
    if value is None:
        return True
    if isinstance(value, ast.Boolean):
        return bool(value.boolval)
    if isinstance(value, ast.Integer):
        return bool(value.ival)
    if isinstance(value, ast.TypeName):  # what the grammar takes a bare word for
        word = (strings(value.names) or [""])[-1]
    else:
        word = (value.sval or "") if isinstance(value, ast.String) else ""
    return word.lower() not in {"false", "off", "no", "0", "f", "n"}


def published(objects: Node) -> list[str]:
    """The tables that CREATE or ALTER PUBLICATION lists."""
    return [
        relation_name(each.pubtable.relation)
        for each in objects or ()
        if each.pubtable is not None and each.pubtable.relation is not None
    ]
