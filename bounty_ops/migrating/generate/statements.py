"""Reading and writing statements with PostgreSQL's own grammar."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pglast import ast, keywords, parse_sql
from pglast.stream import RawStream
from pglast.visitors import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pglast.enums import AlterTableType

# The grammar has hundreds of kinds of node, and nearly all of their fields are optional. What a
# field holds is decided by the kind of the node.
Node: TypeAlias = Any

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_$]*")
_QUOTED_KEYWORDS: Final = (
    keywords.RESERVED_KEYWORDS | keywords.TYPE_FUNC_NAME_KEYWORDS | keywords.COL_NAME_KEYWORDS
)
_LONGEST_NAME: Final = 63


def is_a(node: Node, *kinds: type) -> bool:
    """Whether a node is of one of these kinds; without a checker's taking it for more."""
    return isinstance(node, kinds)


def parsed(sql: str) -> Node:
    """The tree of one statement; raises pglast's ParseError."""
    statements = parse_sql(sql)
    if len(statements) != 1:
        message = "one statement was expected"
        raise ValueError(message)
    node: Node = statements[0].stmt
    return node


def written(node: Node) -> str:
    """A tree, or a part of one, as SQL on one line."""
    text: str = RawStream()(node)
    return text


def quoted(name: str) -> str:
    """A name as it has to be written."""
    if _PLAIN.fullmatch(name) and name not in _QUOTED_KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Names with commas between them."""
    return ", ".join(map(quoted, names))


def literal(text: str) -> str:
    """A text constant."""
    return "'" + text.replace("'", "''") + "'"


def derived(name: str, suffix: str) -> str:
    """A name made of another: ``bounty_id`` and ``new`` give ``bounty_id__new``.

    PostgreSQL would cut a long one off at its end, where they differ.
    """
    tail = f"__{suffix}"
    kept = name.encode()[: _LONGEST_NAME - len(tail)].decode(errors="ignore")
    return kept + tail


def strings(nodes: Sequence[Any] | None) -> tuple[str, ...]:
    """The texts of String nodes."""
    return tuple(node.sval for node in nodes or ())


def single_commands(node: Node) -> list[Node]:
    """The same ALTER TABLE once for each of its commands."""
    return [
        ast.AlterTableStmt(
            relation=node.relation,
            cmds=(command,),
            objtype=node.objtype,
            missing_ok=node.missing_ok,
        )
        for command in node.cmds
    ]


def is_command(node: Node, subtype: AlterTableType) -> bool:
    """Whether a statement is an ALTER TABLE with this one command."""
    return (
        is_a(node, ast.AlterTableStmt) and len(node.cmds) == 1 and node.cmds[0].subtype == subtype
    )


class _Names(Visitor):
    """Every relation and type that a statement mentions, without schemas."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_RangeVar(self, _ancestors: object, node: Node) -> None:  # noqa: N802
        self.found.add(node.relname)

    def visit_TypeName(self, _ancestors: object, node: Node) -> None:  # noqa: N802
        names = strings(node.names)
        if names and names[0] != "pg_catalog":
            self.found.add(names[-1])

    def visit_AlterEnumStmt(self, _: object, node: Node) -> None:  # noqa: N802
        self.found.add(strings(node.typeName)[-1])

    def visit_CreateEnumStmt(self, _: object, node: Node) -> None:  # noqa: N802
        self.found.add(strings(node.typeName)[-1])

    def visit_DropStmt(self, _: object, node: Node) -> None:  # noqa: N802
        for each in node.objects:
            if isinstance(each, tuple | list):
                # Of a trigger or policy the table and its own name.
                self.found.update(strings(each)[-2:])

    def visit_CommentStmt(self, _: object, node: Node) -> None:  # noqa: N802
        if isinstance(node.object, tuple | list):
            self.found.update(strings(node.object))

    def visit_FuncCall(self, _: object, node: Node) -> None:  # noqa: N802
        names = strings(node.funcname)
        if names[0] != "pg_catalog":
            self.found.add(names[-1])

    def visit_CreateFunctionStmt(self, _: object, node: Node) -> None:  # noqa: N802
        self.found.add(strings(node.funcname)[-1])

    def visit_CreateTrigStmt(self, _: object, node: Node) -> None:  # noqa: N802
        self.found.add(strings(node.funcname)[-1])


def mentioned(node: Node) -> frozenset[str]:
    """The names of the tables, types and functions that a statement mentions."""
    visitor = _Names()
    visitor(node)
    return frozenset(visitor.found)


class _Prefixed(Visitor):
    """Replaces the names of columns."""

    def __init__(self, prefix: str | None, renamed: dict[str, str]) -> None:
        self._prefix = prefix
        self._renamed = renamed

    def visit_ColumnRef(self, _ancestors: object, node: Node) -> None:  # noqa: N802
        *before, name = node.fields
        if not is_a(name, ast.String):
            return
        column = ast.String(sval=self._renamed.get(name.sval, name.sval))
        start = [ast.String(sval=self._prefix)] if self._prefix else before
        node.fields = (*start, column)

    def visit_IndexElem(self, _ancestors: object, node: Node) -> None:  # noqa: N802
        if node.name:
            node.name = self._renamed.get(node.name, node.name)


def with_columns(
    node: Node, renamed: dict[str, str] | None = None, *, prefix: str | None = None
) -> Node:
    """A tree with other names of columns in it; the one that is given changes."""
    _Prefixed(prefix, renamed or {})(node)
    return node


def expression(sql: str) -> Node:
    """The tree of an expression."""
    select = parsed(f"SELECT {sql}")
    node: Node = select.targetList[0].val
    return node


def is_new_label(sql: str) -> bool:
    """Whether a statement adds a label to an enum type."""
    node = parsed(sql)
    return is_a(node, ast.AlterEnumStmt) and not node.oldVal
