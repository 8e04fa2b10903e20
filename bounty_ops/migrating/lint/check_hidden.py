"""SQL inside DO blocks, functions and EXECUTE: looked at like any other, where it can be seen."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pglast import ast, parser

from bounty_ops.migrating.lint.script import read_script
from bounty_ops.migrating.lint.tree import (
    below,
    constant,
    option,
    plain_function,
    text_constants,
)
from bounty_ops.migrating.lint.volatility import is_builtin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.tree import Node

    Examine = Callable[[Examination, Node], None]

_CHANGES: Final = re.compile(
    r"(?i)\b(alter|drop|create|truncate|reindex|cluster|vacuum|refresh|grant|revoke|lock|update|"
    r"delete|insert|comment)\b"
)
_DEEPEST: Final = 5


@dataclass(frozen=True)
class _Inside:
    """One statement of a body: its text, its line in the body, and how it runs."""

    sql: str
    line: int
    dynamic: bool = False
    commits: bool = False


def do_block(exam: Examination, node: Node, examine: Examine) -> None:
    """DO."""
    body = option(node.args, "as")
    language = option(node.args, "language")
    text = body.arg.sval if body is not None else ""
    if language is not None and language.arg.sval.lower() not in {"plpgsql", "sql"}:
        exam.report("hidden-sql", detail=f"DO in {language.arg.sval}")
        return
    _body(exam, text, "DO", examine)


def calls(exam: Examination, node: Node, examine: Examine) -> None:
    """CALL, and SELECT of nothing but functions."""
    call = node.funccall if isinstance(node, ast.CallStmt) else None
    if call is not None:
        _call(exam, plain_function(call.funcname), examine, unknown=True)
        return
    source = [each for each in node.fromClause or () if not isinstance(each, ast.RangeFunction)]
    for each in below(node.fromClause, ast.RangeFunction):
        for called in below(each, ast.FuncCall):
            _call(exam, plain_function(called.funcname), examine, unknown=not source)
    for each in below(node.targetList, ast.FuncCall):
        _set_config(exam, each)
        if plain_function(each.funcname).startswith("pg_sleep"):
            exam.works_long("lock-held-across-scan")
        _call(exam, plain_function(each.funcname), examine, unknown=not node.fromClause)


def execute_prepared(exam: Examination, node: Node, examine: Examine) -> None:
    """EXECUTE of what a PREPARE above has said."""
    query = exam.prepared.get(node.name)
    if query is None:
        exam.report("hidden-call", detail=f"EXECUTE {node.name}")
    else:
        examine(exam, query)


def _set_config(exam: Examination, call: Node) -> None:
    values = list(text_constants(call.args))
    if plain_function(call.funcname) == "set_config" and len(values) == 2:  # noqa: PLR2004 - name, value
        from bounty_ops.migrating.lint.check_session import setting  # noqa: PLC0415 - a cycle else

        last = call.args[-1]
        local = isinstance(last, ast.A_Const) and bool(getattr(last.val, "boolval", False))
        setting(exam, values[0].lower(), values[1], local=local)


def _call(exam: Examination, name: str, examine: Examine, *, unknown: bool) -> None:
    known = exam.model.functions.get(name)
    if known is not None and known.body and known.language in {"sql", "plpgsql"}:
        _body(exam, known.body, f"{name}()", examine, language=known.language)
    elif known is not None and not known.volatile:
        return
    elif unknown and not is_builtin(name):
        exam.report("hidden-call", detail=f"{name}()")


def _body(
    exam: Examination, text: str, where: str, examine: Examine, *, language: str = "plpgsql"
) -> None:
    key = f"inside {where}"
    if key in exam.told or sum(each.startswith("inside ") for each in exam.told) >= _DEEPEST:
        return
    exam.told.add(key)
    outer = exam.line
    try:
        for each in _statements(text, language):
            if where == "DO":
                exam.line = min(outer + max(each.line - 1, 0), exam.last_line)
            _one(exam, each, where, examine)
    finally:
        exam.line = outer
        exam.told.discard(key)


def _one(exam: Examination, inside: _Inside, where: str, examine: Examine) -> None:
    if inside.dynamic:
        _execute(exam, inside, where, examine)
        return
    for statement in read_script(inside.sql):
        if statement.node is None or isinstance(statement.node, ast.TransactionStmt):
            continue
        if inside.commits and isinstance(statement.node, ast.UpdateStmt | ast.DeleteStmt):
            continue  # a loop that commits: batches
        examine(exam, statement.node)


def _execute(exam: Examination, inside: _Inside, where: str, examine: Examine) -> None:
    """EXECUTE: a constant can be read, anything else only suspected."""
    for statement in read_script(f"SELECT {inside.sql}"):
        if statement.node is None:
            exam.report("hidden-sql", detail=f"EXECUTE in {where}")
            return
        expression = statement.node.targetList[0].val
        text = constant(expression)
        if text is not None:
            for each in read_script(text):
                if each.node is not None:
                    examine(exam, each.node)
        elif _may_change(expression):
            exam.report("hidden-sql", detail=f"EXECUTE in {where}")


def _may_change(expression: Node) -> bool:
    texts = list(text_constants(expression))
    return not texts or any(_CHANGES.search(each) for each in texts)


def _statements(text: str, language: str) -> Iterator[_Inside]:
    if language == "sql":
        for each in read_script(text):
            yield _Inside(each.text, each.line)
        return
    quoted = "$bounty_ops_lint$" + text + "$bounty_ops_lint$"
    for head in _HEADS:
        try:
            tree = json.loads(parser.parse_plpgsql_json(head + quoted))
        except (parser.ParseError, ValueError, UnicodeError, RecursionError):
            continue
        yield from _walk(tree, commits=False)
        return
    yield from _by_words(text)


_HEADS: Final = (
    "DO ",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS ",
    "CREATE FUNCTION f() RETURNS SETOF int LANGUAGE plpgsql AS ",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS ",
)
"""What a body may RETURN depends on what it is the body of."""


def _by_words(text: str) -> Iterator[_Inside]:
    """A body that the parser of PL/pgSQL does not take: whatever looks like a statement."""
    for each in read_script(re.sub(r"(?i)\b(begin|then|else|loop)\b", ";", text)):
        dynamic = _EXECUTE.match(each.text)
        if each.node is not None:
            yield _Inside(each.text, each.line)
        elif dynamic is not None:
            yield _Inside(dynamic[1], each.line, dynamic=True)


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
    "PLpgSQL_stmt_foreach_a",
})  # fmt: skip


def _walk(node: object, *, commits: bool) -> Iterator[_Inside]:
    if isinstance(node, list):
        for each in node:
            yield from _walk(each, commits=commits)
    elif isinstance(node, dict):
        for kind, value in node.items():
            inner = commits or (kind in _LOOPS and "PLpgSQL_stmt_commit" in json.dumps(value))
            if isinstance(value, dict):
                yield from _own(kind, value, commits=inner)
            yield from _walk(value, commits=inner)


def _own(kind: str, value: dict[str, object], *, commits: bool) -> Iterator[_Inside]:
    place = _QUERIES.get(kind) or ("query" if kind.startswith("PLpgSQL_stmt_dyn") else None)
    found = value.get(place) if place else None
    expression = found.get("PLpgSQL_expr") if isinstance(found, dict) else None
    if isinstance(expression, dict):
        line = value.get("lineno")
        yield _Inside(
            str(expression.get("query", "")),
            line if isinstance(line, int) else 1,
            dynamic=kind.startswith("PLpgSQL_stmt_dyn"),
            commits=commits,
        )
