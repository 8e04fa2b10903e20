"""The statements inside a body of PL/pgSQL or SQL, and how they run."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pglast import ast, parser

from bounty_ops.migrating.lint.script import read_script
from bounty_ops.migrating.lint.tree import walk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from bounty_ops.migrating.lint.tree import Node


@dataclass(frozen=True)
class Loop:
    """What a statement is repeated by: a query, a range of numbers, or nothing but EXIT."""

    query: str = ""
    numbers: tuple[str, str] | None = None


@dataclass(frozen=True)
class Inside:
    """One statement of a body: its text, its line in the body, and how it runs."""

    sql: str
    line: int
    dynamic: bool = False
    commits: bool = False
    """In a loop that commits: each round is a transaction."""

    loop: Loop | None = None
    """The innermost loop around it, where that does not commit."""

    ends: bool = False
    """It is a COMMIT or ROLLBACK."""

    variables: frozenset[str] = frozenset()
    """The names that stand for values here."""


def statements_of(text: str, language: str, arguments: Collection[str] = ()) -> Iterator[Inside]:
    """Every statement of a body, as far as it can be read."""
    if language == "sql":
        for each in read_script(text):
            yield Inside(each.text, each.line, variables=frozenset(arguments))
        return
    quoted = "$bounty_ops_lint$" + text + "$bounty_ops_lint$"
    for head in _HEADS:
        try:
            tree = json.loads(parser.parse_plpgsql_json(head + quoted))
        except (parser.ParseError, ValueError, UnicodeError, RecursionError):
            continue
        yield from _Reader(_variables(tree) | frozenset(arguments)).walk(tree)
        return
    yield from _by_words(text)


_HEADS: Final = (
    "DO ",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS ",
    "CREATE FUNCTION f() RETURNS SETOF int LANGUAGE plpgsql AS ",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS ",
)
"""What a body may RETURN depends on what it is the body of."""


def _by_words(text: str) -> Iterator[Inside]:
    """A body that the parser of PL/pgSQL does not take: whatever looks like a statement."""
    for each in read_script(re.sub(r"(?i)\b(begin|then|else|loop)\b", ";", text)):
        dynamic = _EXECUTE.match(each.text)
        if each.node is not None:
            yield Inside(each.text, each.line)
        elif dynamic is not None:
            yield Inside(dynamic[1], each.line, dynamic=True)


_EXECUTE: Final = re.compile(r"(?is)\s*execute\s+(.+?)(?:\s(?:using|into)\s.*)?;?\s*\Z")
_QUERIES: Final = {
    "PLpgSQL_stmt_execsql": "sqlstmt",
    "PLpgSQL_stmt_perform": "expr",
    "PLpgSQL_stmt_call": "expr",
    "PLpgSQL_stmt_fors": "query",
    "PLpgSQL_stmt_return_query": "query",
}
_LOOPS: Final = frozenset({
    "PLpgSQL_stmt_loop", "PLpgSQL_stmt_while", "PLpgSQL_stmt_fori", "PLpgSQL_stmt_fors",
    "PLpgSQL_stmt_foreach_a", "PLpgSQL_stmt_dynfors",
})  # fmt: skip
_ENDS: Final = {"PLpgSQL_stmt_commit": "COMMIT", "PLpgSQL_stmt_rollback": "ROLLBACK"}
_ALWAYS_THERE: Final = frozenset({"found", "sqlstate", "sqlerrm"})


def _variables(tree: object) -> frozenset[str]:
    """The names of everything that the parser found declared."""
    try:
        declared = tree[0]["PLpgSQL_function"]["datums"]  # type: ignore[index] # JSON of the parser
    except (KeyError, IndexError, TypeError):
        return frozenset()
    names = {each.get("refname") for one in declared for each in one.values()}
    return frozenset(name for name in names if isinstance(name, str)) - _ALWAYS_THERE


@dataclass(frozen=True)
class _Reader:
    variables: frozenset[str]

    def walk(
        self, node: object, *, commits: bool = False, loop: Loop | None = None
    ) -> Iterator[Inside]:
        if isinstance(node, list):
            for each in node:
                yield from self.walk(each, commits=commits, loop=loop)
        elif isinstance(node, dict):
            for kind, value in node.items():
                around, inner = commits, loop
                if isinstance(value, dict):
                    yield from self._own(kind, value, commits=commits, loop=loop)
                if kind in _LOOPS:
                    around = commits or "PLpgSQL_stmt_commit" in json.dumps(value)
                    inner = None if around else _loop(kind, value)
                yield from self.walk(value, commits=around, loop=inner)

    def _own(
        self, kind: str, value: dict[str, object], *, commits: bool, loop: Loop | None
    ) -> Iterator[Inside]:
        number = value.get("lineno")
        line = number if isinstance(number, int) else 1
        if kind in _ENDS:
            yield Inside(_ENDS[kind], line, ends=True)
            return
        place = _QUERIES.get(kind) or ("query" if kind.startswith("PLpgSQL_stmt_dyn") else None)
        text = _expression(value.get(place)) if place else None
        if text is not None:
            yield Inside(
                text,
                line,
                dynamic=kind.startswith("PLpgSQL_stmt_dyn"),
                commits=commits,
                loop=loop,
                variables=self.variables,
            )


def _expression(value: object) -> str | None:
    found = value.get("PLpgSQL_expr") if isinstance(value, dict) else None
    return str(found.get("query", "")) if isinstance(found, dict) else None


def _loop(kind: str, value: dict[str, object]) -> Loop | None:
    """What repeats it; None where the rounds are few, or nobody knows."""
    if kind == "PLpgSQL_stmt_fors":
        return Loop(query=_expression(value.get("query")) or "")
    if kind == "PLpgSQL_stmt_fori":
        ends = _expression(value.get("lower")), _expression(value.get("upper"))
        return Loop(numbers=(ends[0] or "", ends[1] or ""))
    return Loop() if kind in {"PLpgSQL_stmt_loop", "PLpgSQL_stmt_while"} else None


def bind(node: Node, variables: Collection[str]) -> None:
    """Put a parameter wherever a variable stands, as PL/pgSQL does before it runs a statement."""
    if not variables:
        return
    for each in walk(node):
        if not isinstance(each, ast.Node):
            continue
        for name in each:
            value = getattr(each, name, None)
            if isinstance(value, tuple):
                setattr(each, name, tuple(_bound(one, variables) for one in value))
            elif isinstance(value, ast.ColumnRef):
                setattr(each, name, _bound(value, variables))


def _bound(node: Node, variables: Collection[str]) -> Node:
    if not isinstance(node, ast.ColumnRef) or not node.fields:
        return node
    first = node.fields[0]
    named = isinstance(first, ast.String) and first.sval in variables
    return ast.ParamRef(number=1) if named else node
