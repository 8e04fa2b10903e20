"""What the query page lets through: one statement that reads. Pure.

It is the first of three bars, and the one that explains itself. The second is the server's: a
transaction that is read only and cannot become anything else. The third is how it is sent: a
protocol in which a message holds one statement.
"""

from __future__ import annotations

from typing import Final

from pglast import ast
from pglast.parser import ParseError
from pglast.parser import parse_sql as parse

from bounty_ops.errors import UsageError

_ONE: Final = "Write one SELECT, VALUES, TABLE, SHOW or EXPLAIN statement."


def require_reading(sql: str) -> bool:
    """Return whether `sql` can be explained: it is a query, and not SHOW or EXPLAIN itself.

    Raises:
        UsageError: it is not one statement that reads.
    """
    try:
        statements = parse(sql)
    except ParseError as error:
        raise UsageError(f"it cannot be read: {error.args[0]}", hint=_ONE) from None
    if len(statements) != 1:
        raise UsageError(f"there are {len(statements)} statements", hint=_ONE)
    statement = statements[0].stmt
    if isinstance(statement, ast.VariableShowStmt):
        return False
    explained = isinstance(statement, ast.ExplainStmt)
    query = statement.query if isinstance(statement, ast.ExplainStmt) else statement
    if not isinstance(query, ast.SelectStmt):
        raise UsageError("the query page only reads", hint=_ONE)
    for part in _expressions(query):
        if not isinstance(part, ast.SelectStmt):
            raise UsageError("the query page only reads, within WITH too", hint=_ONE)
    if query.intoClause is not None or query.lockingClause:
        raise UsageError("the query page only reads: no INTO, no FOR UPDATE", hint=_ONE)
    return not explained


def _expressions(query: ast.SelectStmt) -> list[object]:
    """The parts of WITH; PostgreSQL takes changes there at the outermost level only."""
    return [] if query.withClause is None else [one.ctequery for one in query.withClause.ctes or ()]
