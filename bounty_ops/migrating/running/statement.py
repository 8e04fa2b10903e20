"""What the runner has to know about a statement before it sends it, from its text alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError

if TYPE_CHECKING:
    from collections.abc import Sequence

_BOUND: Final = re.compile(r"%\(\w+\)s")
#: What no revision may set in the same string with other statements, where the runner cannot
#: set it right again in between.
_OURS: Final = frozenset({"lock_timeout", "statement_timeout", "transaction_timeout"})
_COMMITS: Final = re.compile(r"\b(COMMIT|ROLLBACK)\b", re.IGNORECASE)
_ONE_AT_A_TIME: Final = (
    ast.CreatedbStmt,
    ast.DropdbStmt,
    ast.CreateTableSpaceStmt,
    ast.DropTableSpaceStmt,
    ast.AlterSystemStmt,
    ast.CreateSubscriptionStmt,
    ast.AlterSubscriptionStmt,
    ast.DropSubscriptionStmt,
)
_DEFINITIONS: Final = (ast.CreateStmt, ast.IndexStmt, ast.CreateEnumStmt, ast.DropStmt)
_READS: Final = (ast.VariableSetStmt, ast.VariableShowStmt, ast.ExplainStmt)
_REINDEXED_AT_ONCE: Final = frozenset(
    {
        enums.ReindexObjectType.REINDEX_OBJECT_INDEX,
        enums.ReindexObjectType.REINDEX_OBJECT_TABLE,
    }
)
_SAVEPOINTS: Final = frozenset(
    {
        enums.TransactionStmtKind.TRANS_STMT_SAVEPOINT,
        enums.TransactionStmtKind.TRANS_STMT_RELEASE,
        enums.TransactionStmtKind.TRANS_STMT_ROLLBACK_TO,
    }
)


class Kind(Enum):
    """How a statement behaves when the runner dies, and what a second try has to do."""

    PLAIN = "runs in a transaction: it is there, or it is not"
    READ = "changes nothing, and is always run"
    CREATE_INDEX = "CREATE INDEX CONCURRENTLY"
    DROP_INDEX = "DROP INDEX CONCURRENTLY"
    REINDEX = "REINDEX CONCURRENTLY"
    DETACH = "DETACH PARTITION ... CONCURRENTLY"
    AGAIN = "runs outside of transactions, and a second time does no harm"
    CONTROL = "begins or ends a transaction"
    ONCE = "runs outside of transactions, and nobody can tell how far it came"


@dataclass(frozen=True)
class Name:
    """A relation as a statement calls it."""

    name: str
    schema: str | None = None

    def quoted(self) -> str:
        """Return the name for a statement, and for ``to_regclass``."""
        parts = [part for part in (self.schema, self.name) if part is not None]
        return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


@dataclass(frozen=True)
class Statement:
    """One string that a revision executes; it may hold several statements."""

    sql: str
    kind: Kind
    relation: Name | None = None
    """The table; of DROP INDEX and REINDEX INDEX the index; of REINDEX SCHEMA only a schema."""
    index: str | None = None
    """Of CREATE INDEX, where it has a name."""
    partition: Name | None = None
    gentle: bool = False
    """Whether it stops neither readers nor writers of a table while it runs."""
    rows_only: bool = False
    """Whether it locks rows, but no table against reads and writes."""
    returning: bool = False
    sets_limits: bool = False
    definition: bool = False
    """Whether it is one statement that defines something, and so changes no setting."""

    @property
    def patient(self) -> bool:
        """Whether its waits are for old transactions, with nobody stopped behind it."""
        return self.kind in {Kind.CREATE_INDEX, Kind.DROP_INDEX, Kind.REINDEX}


def read_statement(sql: str) -> Statement:
    """Read a string as it goes to the driver."""
    text = _BOUND.sub("$1", sql).replace("%%", "%")
    try:
        parsed = [raw.stmt for raw in parse_sql(text) if raw.stmt is not None]
    except ParseError:
        return Statement(text, Kind.PLAIN)  # PostgreSQL will say what is wrong with it
    if len(parsed) == 1:
        return _one(text, parsed[0])
    if any(_kind(each) is Kind.CONTROL for each in parsed):
        return Statement(text, Kind.CONTROL)
    limits = any(isinstance(each, ast.VariableSetStmt) and each.name in _OURS for each in parsed)
    reads = all(_kind(each) is Kind.READ for each in parsed)
    return Statement(text, Kind.READ if reads else Kind.PLAIN, sets_limits=limits)


def is_online(statement: Statement, *, autocommit: bool, holds: bool) -> bool:
    """Whether a statement stops nobody, so that it may run for long.

    ``holds`` is whether its transaction holds a lock that stops readers or writers of a table:
    those wait for its end however gentle the statement itself is. Changed rows stay locked until
    the end of a transaction too, so changing rows is for a statement of its own.
    """
    if statement.gentle:
        return autocommit or not holds
    return autocommit and statement.rows_only


def _one(text: str, node: ast.Node) -> Statement:
    if isinstance(node, ast.IndexStmt) and node.concurrent:
        return Statement(
            text,
            Kind.CREATE_INDEX,
            relation=_name(node.relation),
            index=node.idxname,
            gentle=True,
        )
    if isinstance(node, ast.DropStmt) and node.concurrent:
        parts = [part.sval for part in (node.objects or ((),))[0]]
        return Statement(
            text,
            Kind.DROP_INDEX,
            relation=Name(parts[-1], parts[-2] if len(parts) > 1 else None),
            gentle=True,
        )
    if isinstance(node, ast.ReindexStmt) and _option(node.params, "concurrently"):
        whole = _name(node.relation) or Name("", node.name)
        index = whole.name if node.kind == enums.ReindexObjectType.REINDEX_OBJECT_INDEX else None
        return Statement(text, Kind.REINDEX, relation=whole, index=index, gentle=True)
    if isinstance(node, ast.AlterTableStmt):
        return _alter_table(text, node)
    rows = isinstance(node, ast.UpdateStmt | ast.DeleteStmt | ast.InsertStmt | ast.MergeStmt)
    return Statement(
        text,
        _kind(node),
        gentle=_kind(node) is Kind.READ or _is_gentle_vacuum(node),
        rows_only=rows or isinstance(node, ast.DoStmt | ast.CallStmt),
        returning=rows and getattr(node, "returningClause", None) is not None,
        definition=isinstance(node, _DEFINITIONS),
    )


def _alter_table(text: str, node: ast.AlterTableStmt) -> Statement:
    kinds = enums.AlterTableType
    commands = node.cmds or ()
    subtypes = {command.subtype for command in commands}
    if subtypes == {kinds.AT_DetachPartition} and commands[0].def_.concurrent:
        return Statement(
            text,
            Kind.DETACH,
            relation=_name(node.relation),
            partition=_name(commands[0].def_.name),
            gentle=True,
        )
    gentle = subtypes == {kinds.AT_ValidateConstraint}
    return Statement(text, Kind.PLAIN, gentle=gentle, definition=True)


def _kind(node: ast.Node) -> Kind:
    kind = Kind.PLAIN
    if isinstance(node, ast.TransactionStmt):
        kind = Kind.PLAIN if node.kind in _SAVEPOINTS else Kind.CONTROL
    elif isinstance(node, ast.SelectStmt):
        kind = Kind.PLAIN if _writes(node) else Kind.READ
    elif isinstance(node, _READS):
        kind = Kind.READ
    elif isinstance(node, ast.VacuumStmt | ast.CallStmt):
        kind = Kind.AGAIN
    elif isinstance(node, ast.DoStmt):
        kind = Kind.AGAIN if _COMMITS.search(_body(node)) else Kind.PLAIN
    elif isinstance(node, ast.ReindexStmt):
        kind = Kind.PLAIN if node.kind in _REINDEXED_AT_ONCE else Kind.AGAIN
    elif isinstance(node, _ONE_AT_A_TIME):
        kind = Kind.ONCE
    return kind


def _writes(node: ast.SelectStmt) -> bool:
    if node.intoClause is not None:
        return True
    queries = node.withClause.ctes if node.withClause is not None else ()
    return any(not isinstance(each.ctequery, ast.SelectStmt) for each in queries or ())


def _is_gentle_vacuum(node: ast.Node) -> bool:
    return isinstance(node, ast.VacuumStmt) and not _option(node.options, "full")


def _body(node: ast.DoStmt) -> str:
    return " ".join(each.arg.sval for each in node.args or () if each.defname == "as")


def _option(options: Sequence[ast.DefElem] | None, name: str) -> bool:
    """Whether an option is on; ``(CONCURRENTLY false)`` is not."""
    for option in options or ():
        if option.defname == name:
            value = getattr(option.arg, "sval", getattr(option.arg, "boolval", True))
            return str(value).lower() not in {"false", "off", "0"}
    return False


def _name(node: ast.RangeVar | None) -> Name | None:
    return None if node is None or node.relname is None else Name(node.relname, node.schemaname)
