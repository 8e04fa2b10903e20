"""What an index asks of its access method and of the types of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast.enums import SortByDir, SortByNulls

from bounty_ops.migrating.lint.tree import strings

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.sqltypes import SqlType
    from bounty_ops.migrating.lint.tree import Node

_NOT_UNIQUE: Final = frozenset({"hash", "gist", "gin", "spgist", "brin"})
_ONE_COLUMN: Final = frozenset({"hash", "spgist"})
_NO_INCLUDE: Final = frozenset({"hash", "gin", "brin"})
"""Of PostgreSQL's own access methods; what one of an extension can do is not known."""


def cannot_be_indexed(exam: Examination, node: Node, name: str) -> bool:
    """Say so when CREATE INDEX asks for what the access method does not do."""
    why = _inability(node) or next(
        (found for each in node.indexParams or () if (found := _unfit(exam, node, name, each))), ""
    )
    if why:
        exam.report("always-fails", name, detail=why)
    return bool(why)


def _inability(node: Node) -> str:
    method = node.accessMethod or "btree"
    parameters = node.indexParams or ()
    if node.unique and method in _NOT_UNIQUE:
        return f"an index of {method} cannot be UNIQUE"
    if len(parameters) > 1 and method in _ONE_COLUMN:
        return f"an index of {method} has one column"
    if node.indexIncludingParams and method in _NO_INCLUDE:
        return f"an index of {method} has no INCLUDE"
    ordered = any(
        each.ordering != SortByDir.SORTBY_DEFAULT
        or each.nulls_ordering != SortByNulls.SORTBY_NULLS_DEFAULT
        for each in parameters
    )
    return f"an index of {method} has no order" if ordered and method in _NOT_UNIQUE else ""


def _unfit(exam: Examination, node: Node, name: str, parameter: Node) -> str:
    """Why a column cannot stand in the index; empty if it can, or if that is not known."""
    model = exam.model
    method = node.accessMethod or "btree"
    column = model.column(name, parameter.name or "")
    declared = model.base_type(column.type) if column is not None else None
    classes = strings(parameter.opclass)
    if classes:
        return _unfit_class(exam, method, classes[-1], declared)
    if declared is None:
        return ""
    if declared.name in {"json", "xml"} and not declared.array:
        return f"{declared.name} has no operators for an index on {parameter.name}"
    known = model.default_classes
    fits = not known or any((method, each) in known for each in _names(exam, declared))
    return "" if fits else f"{declared} has no default operator class for {method}"


def _unfit_class(exam: Examination, method: str, name: str, declared: SqlType | None) -> str:
    known = exam.model.operator_classes
    taken = known.get((method, name))
    if taken is None:
        return f"{method} has no operator class {name}" if known else ""
    fits = declared is None or bool(taken & _names(exam, declared))
    return "" if fits else f"the operator class {name} does not take {declared}"


def _names(exam: Examination, declared: SqlType) -> set[str]:
    """The types that an operator class may be declared for to take this one."""
    if declared.array:
        return {"anyarray", f"_{declared.name}"}
    if declared.name in exam.model.enums:  # also one that this file has made
        return {declared.name, "anyenum"}
    if declared.name in exam.model.types:
        return {declared.name, "record", "anyrange"}
    return {declared.name}
