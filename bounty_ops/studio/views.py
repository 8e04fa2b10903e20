"""The view of one table: which of its columns can be searched, filtered, ordered by and changed."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from sqladmin.filters import BooleanFilter, StaticValuesFilter
from sqladmin.forms import WTFORMS_ATTRS
from sqlalchemy import ARRAY, JSON, Boolean, Enum, String

from bounty_ops.studio.browse import TableView, address_of
from bounty_ops.studio.filters import TypedFilter
from bounty_ops.studio.forms import is_editable
from bounty_ops.studio.secrets import HIDDEN
from bounty_ops.studio.tables import PLACE, Hidden, parameter
from bounty_ops.studio.values import IN_A_LIST, IN_A_ROW, in_words

if TYPE_CHECKING:
    from sqlalchemy import Column
    from starlette.requests import Request

    from bounty_ops.studio.database import Database
    from bounty_ops.studio.tables import ShownTable


def view_of(shown: ShownTable, database: Database) -> type[TableView]:
    """The view of one table."""
    columns = list(shown.table.columns)
    names = [column.name for column in columns if column.name != PLACE]
    shown_in_forms = [one.name for one in columns if is_editable(one)]
    # A new row may need a value; that of an old one is neither shown nor changed.
    to_begin_with = [
        one.name for one in columns if isinstance(one.type, Hidden) and one.type.takes_text
    ]
    may_edit = database.editing is not None and shown.has_key

    def body(space: dict[str, Any]) -> None:
        space.update(
            shown=shown,
            database=database,
            name=shown.table.name,
            name_plural=shown.identity,
            category=shown.schema,
            column_list=names,
            column_details_list=names,
            column_sortable_list=[one.name for one in columns if _is_sortable(one)],
            column_searchable_list=[one.name for one in columns if _is_text(one)],
            column_filters=[one for one in map(_filter, columns) if one is not None],
            column_formatters={name: _formatter(shown, name, IN_A_LIST) for name in names},
            column_formatters_detail={name: _formatter(shown, name, IN_A_ROW) for name in names},
            column_labels={name: name for name in names},
            form_columns=[*shown_in_forms, *to_begin_with] or names[:1],
            form_edit_rules=[WTFORMS_ATTRS.get(name, name) for name in shown_in_forms],
            can_create=may_edit,
            can_edit=may_edit and bool(shown_in_forms),
            can_delete=may_edit,
        )

    made: Any = types.new_class(
        f"View_{shown.identity}", (TableView,), {"model": shown.model}, body
    )
    made.identity = shown.identity
    return made  # type: ignore[no-any-return] # a class made here has no type


def _is_text(column: Column[Any]) -> bool:
    return isinstance(column.type, String) and not isinstance(column.type, Enum)


def _is_sortable(column: Column[Any]) -> bool:
    return column.name != PLACE and not isinstance(column.type, JSON | Hidden)


def _filter(column: Column[Any]) -> Any:  # noqa: ANN401 - sqladmin's filters share no type
    if column.name == PLACE or isinstance(column.type, JSON | ARRAY | Hidden):
        return None
    named: dict[str, Any] = {"title": column.name, "parameter_name": parameter(column.name)}
    if isinstance(column.type, Boolean):
        return BooleanFilter(column.name, **named)
    if isinstance(column.type, Enum):
        return StaticValuesFilter(column.name, [(one, one) for one in column.type.enums], **named)
    return TypedFilter(column.name, **named)


def _formatter(shown: ShownTable, column: str, length: int) -> Any:  # noqa: ANN401 - sqladmin looks at its signature
    reference, hidden = shown.reference_of(column), column in shown.hidden

    def formatted(row: object, name: str, request: Request) -> object:
        value = getattr(row, name)
        if value is None:
            return Markup('<span class="null">NULL</span>')
        if hidden:
            return Markup('<span class="null">{}</span>').format(HIDDEN)
        words = in_words(value, length)
        if reference is None:
            return words
        there = address_of(request, reference.target, reference.target_columns, [value])
        return Markup('<a href="{}">{}</a>').format(there, words)

    return formatted
