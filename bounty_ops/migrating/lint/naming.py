"""Which relation a name means: temporary ones hide others, and search_path says where to look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast

from bounty_ops.migrating.lint.learning_names import RELATIONS, created
from bounty_ops.migrating.lint.tree import below, qualified

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.tree import Node

_TEMPORARY: Final = "pg_temp"
_PUBLIC: Final = "public"
_NOT_OURS: Final = frozenset({"", "$user", "pg_catalog"})


def resolve_names(exam: Examination, node: Node) -> None:
    """Give every bare name of a relation the schema that it has here, where that is not public."""
    path = _search_path(exam)
    temporary = {name for name in exam.model.tables if name.startswith(f"{_TEMPORARY}.")}
    made = created(node)
    is_temporary = made is not None and made.relpersistence == "t"
    if path == [_PUBLIC] and not temporary and not is_temporary:
        return
    common = {each.ctename for each in below(node, ast.CommonTableExpr)}
    for each in below(node, ast.RangeVar):
        if each.schemaname or each.relname in common:
            continue
        if each is made:
            each.schemaname = _TEMPORARY if is_temporary else path[0]
        else:
            each.schemaname = _found_in(exam, each.relname, path, temporary)
    if isinstance(node, ast.DropStmt) and node.removeType in RELATIONS:
        node.objects = tuple(
            _with_schema(exam, each, path, temporary) for each in node.objects or ()
        )


def _search_path(exam: Examination) -> list[str]:
    value = exam.session.get("search_path") or ""
    words = [each.strip().strip('"') for each in value.split(",")]
    return [each for each in words if each not in _NOT_OURS] or [_PUBLIC]


def _found_in(exam: Examination, name: str, path: list[str], temporary: set[str]) -> str:
    if f"{_TEMPORARY}.{name}" in temporary:
        return _TEMPORARY
    for schema in path:
        full = qualified(schema, name)
        if full in exam.model.tables or full in exam.model.indexes or full in exam.born:
            return schema
    return path[0]


def _with_schema(exam: Examination, names: Node, path: list[str], temporary: set[str]) -> Node:
    if not isinstance(names, tuple | list) or len(names) != 1:
        return names
    schema = _found_in(exam, names[0].sval, path, temporary)
    return (ast.String(sval=schema), *names)
