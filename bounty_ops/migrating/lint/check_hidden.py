"""SQL inside DO blocks, functions and EXECUTE: looked at like any other, where it can be seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pglast import ast

from bounty_ops.migrating.lint import reach
from bounty_ops.migrating.lint.bodies import Inside, Loop, bind, statements_of
from bounty_ops.migrating.lint.rule import ROW_EXCLUSIVE
from bounty_ops.migrating.lint.script import read_script
from bounty_ops.migrating.lint.tree import (
    below,
    constant,
    integer,
    option,
    plain_function,
    relation_name,
    text_constants,
)
from bounty_ops.migrating.lint.volatility import is_builtin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.tree import Node

    Examine = Callable[[Examination, Node], None]

_CHANGES: Final = re.compile(
    r"(?i)\b(alter|drop|create|truncate|reindex|cluster|vacuum|refresh|grant|revoke|lock|update|"
    r"delete|insert|comment)\b"
)
_DEEPEST: Final = 5


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
        _body(exam, known.body, f"{name}()", examine, language=known.language,
              arguments=[each for each in known.argument_names if each])  # fmt: skip
    elif known is not None and not known.volatile:
        return
    elif unknown and not is_builtin(name):
        exam.report("hidden-call", detail=f"{name}()")


def _body(
    exam: Examination,
    text: str,
    where: str,
    examine: Examine,
    *,
    language: str = "plpgsql",
    arguments: Collection[str] = (),
) -> None:
    key = f"inside {where}"
    if key in exam.told or sum(each.startswith("inside ") for each in exam.told) >= _DEEPEST:
        return
    exam.told.add(key)
    outer = exam.line
    try:
        for each in statements_of(text, language, arguments):
            if where == "DO":
                exam.line = min(outer + max(each.line - 1, 0), exam.last_line)
            _one(exam, each, where, examine)
    finally:
        exam.line = outer
        exam.told.discard(key)


def _one(exam: Examination, inside: Inside, where: str, examine: Examine) -> None:
    if inside.dynamic:
        _execute(exam, inside, where, examine)
        return
    if inside.ends:
        if exam.session.transaction is not None:
            exam.report("always-fails", detail=f"{inside.sql} in {where}, which runs inside a "
                        "transaction block (2D000)")  # fmt: skip
        return
    for statement in read_script(inside.sql):
        if statement.node is None or isinstance(statement.node, ast.TransactionStmt):
            continue
        changes = isinstance(statement.node, ast.UpdateStmt | ast.DeleteStmt)
        if inside.commits and changes:
            continue  # a loop that commits: batches
        bind(statement.node, inside.variables)
        before = len(exam.findings)
        examine(exam, statement.node)
        if changes and inside.loop is not None and len(exam.findings) == before:
            _in_rounds(exam, statement.node, inside.loop)


_SOME_ROUNDS: Final = 100


def _in_rounds(exam: Examination, node: Node, loop: Loop) -> None:
    """Few rows in each round, and all rounds in one transaction."""
    name = relation_name(node.relation)
    walks = any(True for _ in below(node, ast.ParamRef)) or any(
        each.limitCount is not None for each in below(node, ast.SelectStmt)
    )
    if not walks or exam.is_new(name) or reach.is_bookkeeping(name) or _is_short(exam, loop):
        return
    exam.works_long("lock-held-across-backfill")
    exam.report("rows-not-in-batches", name, lock=ROW_EXCLUSIVE,
                detail="the loop does not commit, so that all its rounds are one "
                "transaction")  # fmt: skip


def _is_short(exam: Examination, loop: Loop) -> bool:
    if loop.query:
        queries = [each.node for each in read_script(loop.query)]
        return all(
            isinstance(each, ast.SelectStmt) and reach.query_is_short(exam.model, each)
            for each in queries
        )
    if loop.numbers is None:
        return False
    first, last = (_number(each) for each in loop.numbers)
    return first is not None and last is not None and last - first < _SOME_ROUNDS


def _number(text: str) -> int | None:
    statements = read_script(f"SELECT {text}")
    node = statements[0].node if statements else None
    return integer(node.targetList[0].val) if node is not None and node.targetList else None


def _execute(exam: Examination, inside: Inside, where: str, examine: Examine) -> None:
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
