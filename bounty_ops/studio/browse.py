"""The pages of one table: sqladmin's, with what large tables, references and records need."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote

from markupsafe import Markup
from sqladmin import ModelView
from sqladmin.filters import BooleanFilter, StaticValuesFilter
from sqladmin.helpers import get_object_identifier
from sqladmin.pagination import Pagination
from sqlalchemy import ARRAY, JSON, Boolean, Enum, String, func, literal, or_, select, tuple_
from starlette.exceptions import HTTPException

from bounty_ops.studio.editing import Editing
from bounty_ops.studio.filters import TypedFilter
from bounty_ops.studio.forms import Converter, is_editable
from bounty_ops.studio.tables import PLACE, matching, parameter

if TYPE_CHECKING:
    import builtins

    from sqlalchemy import Column, Select
    from starlette.datastructures import URL
    from starlette.requests import Request

    from bounty_ops.studio.database import Database
    from bounty_ops.studio.tables import Reference, ShownTable

#: Rows are counted, and pages numbered, up to here: counting, and skipping rows, cost as much as
#: reading them. The last page leads on to what comes after its last row.
WINDOW: Final = 10_000
_SHORT: Final = 80
_BAD_REQUEST, _NOT_FOUND = 400, 404


@dataclass
class Window(Pagination):
    """A page of at most `WINDOW` rows."""

    more: bool = False
    """Whether there are rows beyond the window."""
    onwards: str | None = None
    """The query string that shows them; None: their order knows no place to go on from."""


class TableView(Editing, ModelView):
    """What all tables have in common; `view_of` makes the view of one of them."""

    shown: ClassVar[ShownTable]
    database: ClassVar[Database]

    page_size = 50
    page_size_options: ClassVar[list[int]] = [25, 50, 100, 250]
    can_export = False  # the query page does that, with limits
    form_include_pk = True
    form_converter = Converter
    search_auto_submit = False  # each letter would be a search through the whole table
    list_template = "studio/list.html"
    details_template = "studio/details.html"
    category_icon = "fa-solid fa-table"

    async def list(self, request: Request) -> Pagination:
        """One page of rows."""
        query = await self._chosen(request)
        page = max(self.validate_page_number(request.query_params.get("page"), 1), 1)
        wanted = self.validate_page_number(request.query_params.get("pageSize"), self.page_size)
        size = min(max(wanted, 1), max(self.page_size_options))
        upto = (
            query.with_only_columns(literal(1), maintain_column_froms=True)
            .limit(WINDOW + 1)
            .subquery()
        )
        count = await self.count(request, select(func.count()).select_from(upto))
        more = count > WINDOW
        count = min(count, WINDOW)
        page = min(page, Pagination.max_page(count, size))
        rows = await self._run_query(
            self.sort_query(query, request)
            .limit(min(size, max(count - (page - 1) * size, 1)))
            .offset((page - 1) * size)
        )
        last = page == Pagination.max_page(count, size)
        return Window(
            rows=rows,
            page=page,
            page_size=size,
            count=count,
            more=more,
            onwards=self._onwards(request, rows[-1]) if more and last else None,
        )

    async def _chosen(self, request: Request) -> Select[Any]:
        """The rows that filters and search leave, in no order."""
        query: Select[Any] = select(self.model)
        for one in self.get_filters():
            value = request.query_params.get(one.parameter_name)
            if not value:
                continue
            if isinstance(one, TypedFilter):
                operation = request.query_params.get(f"{one.parameter_name}_op", "equals")
                query = await one.get_filtered_query(query, operation, value, self.model)
            else:
                by_value: Any = one
                query = await by_value.get_filtered_query(query, value, self.model)
        if term := request.query_params.get("search", ""):
            query = self.search_query(query, term)
        if after := request.query_params.get("after", ""):
            values = self._key_values(after)
            query = query.where(tuple_(*self.pk_columns) > tuple_(*values))
        return query

    def search_query(self, stmt: Select[Any], term: str) -> Select[Any]:
        """Rows of which any text column holds `term`, whatever its case."""
        columns = self.shown.table.columns
        found = [columns[name].icontains(term, autoescape=True) for name in self._search_fields]
        return stmt.where(or_(*found))

    def sort_query(self, stmt: Select[Any], request: Request) -> Select[Any]:
        """As asked for; the key settles what that leaves open, or pages would repeat rows."""
        if not request.query_params.get("sortBy") and not self.shown.has_key:
            return stmt
        if request.query_params.get("sortBy"):
            stmt = super().sort_query(stmt, request)
        return stmt.order_by(*self.pk_columns)

    def _onwards(self, request: Request, row: object) -> str | None:
        if request.query_params.get("sortBy") or not self.shown.has_key:
            return None
        there = request.url.remove_query_params("page").include_query_params(
            after=str(get_object_identifier(row))
        )
        return str(there)

    def _key_values(self, identifier: str) -> tuple[Any, ...]:
        """Raises HTTPException: it is not a key of this table."""
        query = self._stmt_by_identifier(identifier)
        return tuple(part.right.value for part in _conditions(query))

    def _stmt_by_identifier(self, identifier: str) -> Select[Any]:
        try:
            return super()._stmt_by_identifier(identifier)  # type: ignore[no-any-return, unused-ignore] # sqladmin's Select is bare
        except (ValueError, NotImplementedError):
            raise HTTPException(_NOT_FOUND, f"{identifier} is not a key of this table.") from None

    def _build_url_for(self, name: str, request: Request, obj: Any) -> URL:  # noqa: ANN401 - any row
        return request.url_for(
            name, identity=self.identity, pk=quote(str(get_object_identifier(obj)), safe="")
        )

    def links_from(self, request: Request, row: object) -> builtins.list[tuple[str, str]]:
        """What a row refers to: names of columns, and the address of the row there."""
        return [
            (", ".join(one.columns), _address(request, one.target, one.target_columns, values))
            for one in self.shown.outgoing
            if None not in (values := [getattr(row, column) for column in one.columns])
        ]

    def links_to(self, request: Request, row: object) -> builtins.list[tuple[str, str]]:
        """What refers to a row: a list for each table and its columns, and their addresses."""
        return [
            (
                f"{one.source}.{', '.join(one.columns)}",
                _address(request, one.source, one.columns, values),
            )
            for one in self.shown.incoming
            if None not in (values := [getattr(row, name) for name in one.target_columns])
        ]


def _conditions(query: Select[Any]) -> builtins.list[Any]:
    clause: Any = query.whereclause
    return [*(getattr(clause, "clauses", None) or [clause])]


def _address(request: Request, identity: str, columns: Any, values: Any) -> str:  # noqa: ANN401 - names, and values of any type
    there = request.url_for("admin:list", identity=identity)
    return f"{there}?{matching(columns, values)}"


def view_of(shown: ShownTable, database: Database) -> type[TableView]:
    """The view of one table."""
    columns = list(shown.table.columns)
    names = [column.name for column in columns if column.name != PLACE]
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
            column_formatters={
                name: _formatter(shown.reference_of(name), _SHORT) for name in names
            },
            column_formatters_detail={name: _formatter(shown.reference_of(name)) for name in names},
            column_labels={name: name for name in names},
            form_columns=[one.name for one in columns if is_editable(one)] or names[:1],
            can_create=may_edit,
            can_edit=may_edit,
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
    return column.name != PLACE and not isinstance(column.type, JSON)


def _filter(column: Column[Any]) -> Any:  # noqa: ANN401 - sqladmin's filters share no type
    if column.name == PLACE or isinstance(column.type, JSON | ARRAY):
        return None
    named: dict[str, Any] = {"title": column.name, "parameter_name": parameter(column.name)}
    if isinstance(column.type, Boolean):
        return BooleanFilter(column.name, **named)
    if isinstance(column.type, Enum):
        return StaticValuesFilter(column.name, [(one, one) for one in column.type.enums], **named)
    return TypedFilter(column.name, **named)


def _formatter(reference: Reference | None, length: int | None = None) -> Any:  # noqa: ANN401 - sqladmin looks at its signature
    def formatted(row: object, name: str, request: Request) -> object:
        value = getattr(row, name)
        if value is None:
            return Markup('<span class="null">NULL</span>')
        words = str(value)
        if length is not None and len(words) > length:
            words = f"{words[:length]}…"
        if reference is None:
            return words
        there = _address(request, reference.target, reference.target_columns, [value])
        return Markup('<a href="{}">{}</a>').format(there, words)

    return formatted
