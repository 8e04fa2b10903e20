"""What the query page lets through: one statement that reads. Pure.

It is the first of three bars, and the one that explains itself. The second is the server's: a
transaction that is read only and cannot become anything else. The third is how it is sent: a
protocol in which a message holds one statement.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.parser import ParseError
from pglast.parser import parse_sql as parse

from bounty_ops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: PostgreSQL's functions that act on the server, on other sessions or on what is beyond the
#: transaction, which a transaction that is read only does not keep them from. Most of them take
#: a superuser. It is no list of all there are: what functions of one's own do, nobody knows here.
_ACTING: Final = re.compile(
    r"pg_(?:terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile\w*|pg_promote|pg_switch_wal|"
    r"pg_switch_xlog|pg_create_restore_point|pg_(?:backup_)?(?:start|stop)(?:_backup)?|"
    r"pg_wal_replay_(?:pause|resume)|pg_(?:try_)?advisory_\w+|pg_stat_reset\w*|"
    r"pg_stat_statements_reset|pg_(?:create|drop|copy)_\w*replication_slot|pg_sync_replication_slots|"
    r"pg_replication_\w+|pg_logical_(?:emit_message|slot_get\w*)|pg_notify|pg_log_\w+|pg_file_\w+|"
    r"pg_(?:restore|clear)_(?:relation|attribute)_stats|pg_import_system_collations|"
    r"pg_export_snapshot|pg_prewarm|autoprewarm_\w+|pg_stat_file|pg_read_(?:binary_)?file|"
    r"lo_\w+|lo(?:read|write)|dblink\w*|set_config|setval|nextval"
)
_ONE: Final = "Write one SELECT, VALUES, TABLE, SHOW or EXPLAIN statement."
_ELSEWHERE: Final = "Call it in psql, with a role that may."


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
    for name in _functions(query):
        if _ACTING.fullmatch(name):
            raise UsageError(f"{name} does more than read", hint=_ELSEWHERE)
    if query.intoClause is not None or query.lockingClause:
        raise UsageError("the query page only reads: no INTO, no FOR UPDATE", hint=_ONE)
    return not explained


def _functions(node: object) -> Iterator[str]:
    if isinstance(node, ast.FuncCall) and node.funcname:
        yield getattr(node.funcname[-1], "sval", "") or ""
    if isinstance(node, tuple):
        for one in node:
            yield from _functions(one)
    elif isinstance(node, ast.Node):
        for name in node:
            yield from _functions(getattr(node, name))


def _expressions(query: ast.SelectStmt) -> list[object]:
    """The parts of WITH; PostgreSQL takes changes there at the outermost level only."""
    return [] if query.withClause is None else [one.ctequery for one in query.withClause.ctes or ()]
