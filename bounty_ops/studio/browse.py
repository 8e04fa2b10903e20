"""The pages of one table: sqladmin's, with what large tables, references and records need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import anyio.to_thread
import psycopg
from sqladmin import ModelView
from sqladmin.helpers import get_object_identifier
from sqladmin.pagination import Pagination
from sqlalchemy import (
    false,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from bounty_ops.studio.editing import Editing
from bounty_ops.studio.filters import TypedFilter
from bounty_ops.studio.forms import Converter
from bounty_ops.studio.removing import parameter_of
from bounty_ops.studio.tables import matching, parameter, read_sizes
from bounty_ops.studio.values import IN_A_LIST, IN_A_ROW, beginning
from bounty_ops.studio.window import (
    COUNT_MILLISECONDS,
    WINDOW,
    AtLeast,
    Window,
    after_of,
    beyond,
    onwards,
    order_of,
)

if TYPE_CHECKING:
    import builtins

    from sqlalchemy import ColumnElement, Select
    from starlette.datastructures import URL
    from starlette.requests import Request

    from bounty_ops.studio.database import Database
    from bounty_ops.studio.tables import ShownTable
    from bounty_ops.studio.window import Order

_BAD_REQUEST, _NOT_FOUND = 400, 404


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
    edit_template = "studio/edit.html"
    category_icon = "fa-solid fa-table"

    async def list(self, request: Request) -> Pagination:
        """One page of rows."""
        asked = request.query_params
        page = max(self.validate_page_number(asked.get("page"), 1), 1)
        wanted = self.validate_page_number(asked.get("pageSize"), self.page_size)
        size = min(max(wanted, 1), max(self.page_size_options))
        query = await self._chosen(request)
        known = await anyio.to_thread.run_sync(self._count, query)
        last_page = Pagination.max_page(WINDOW if known is None else min(known, WINDOW), size)
        page = min(page, last_page)
        skipped = (page - 1) * size
        room = min(size, WINDOW - skipped)
        wanted_rows = self.sort_query(query, request).limit(room + 1).offset(skipped)
        rows = await anyio.to_thread.run_sync(self._rows, wanted_rows, IN_A_LIST)
        further, rows = len(rows) > room, rows[:room]
        more = further if known is None else known > WINDOW
        count = skipped + len(rows) if known is None else min(known, WINDOW)
        if known is None and further:
            count += 1  # so that there is a next page
        ends = further and page == last_page
        return Window(
            rows=rows,
            page=page,
            page_size=size,
            count=AtLeast(count) if more else count,
            more=more,
            counted=known is not None,
            estimate=await self._estimate() if more else None,
            onwards=self._onwards(request, rows[-1]) if ends else None,
            after=after_of(asked),
        )

    async def get_object_for_details(self, request: Request) -> Any:  # noqa: ANN401 - any row
        """The row with the key in the address, long values cut."""
        query = self._stmt_by_identifier(request.path_params["pk"])
        found = await anyio.to_thread.run_sync(self._rows, query, IN_A_ROW)
        return found[0] if found else None

    def _rows(self, query: Select[Any], letters: int) -> builtins.list[Any]:
        """Rows that belong to no session, with the beginnings of their values."""
        columns = self.shown.table.columns
        begun = [
            beginning(
                one, letters, whole=one.primary_key or self.shown.is_in_an_address(one.name)
            ).label(one.name)
            for one in columns
        ]
        with self.database.reading() as session:
            found = session.execute(query.with_only_columns(*begun, maintain_column_froms=True))
            return [self._made(tuple(row)) for row in found]

    def _made(self, values: tuple[Any, ...]) -> Any:  # noqa: ANN401 - any row
        row = self.shown.model()
        for column, value in zip(self.shown.table.columns, values, strict=True):
            setattr(row, column.name, value)
        return row

    def _count(self, query: Select[Any]) -> int | None:
        """How many rows there are, up to one more than the window has; None: it took too long."""
        upto = (
            query.with_only_columns(literal(1), maintain_column_froms=True)
            .limit(WINDOW + 1)
            .subquery()
        )
        with self.database.reading() as session:
            session.execute(text(f"SET LOCAL statement_timeout = {COUNT_MILLISECONDS}"))
            try:
                return session.execute(select(func.count()).select_from(upto)).scalar_one()
            except DBAPIError as error:
                if isinstance(error.orig, psycopg.errors.QueryCanceled):
                    return None
                raise

    async def _estimate(self) -> int | None:
        def sizes() -> int | None:
            with self.database.reader.connect() as connection:
                found = read_sizes(connection).get((self.shown.schema, self.shown.table.name))
            return None if found is None else found.rows

        return await anyio.to_thread.run_sync(sizes)

    async def _chosen(self, request: Request) -> Select[Any]:
        """The rows that filters and search leave, in no order."""
        query: Select[Any] = select(self.model)
        self._require_filters(request)
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
        if after := after_of(request.query_params):
            beyond_it = await anyio.to_thread.run_sync(
                self._beyond, after, order_of(request.query_params)
            )
            query = query.where(beyond_it)
        return query

    def _require_filters(self, request: Request) -> None:
        """A filter that is left out would show every row, as if all had fitted."""
        known = {one.parameter_name for one in self.get_filters()}
        for name in request.query_params:
            if name.startswith(parameter("")) and name.removesuffix("_op") not in known:
                raise HTTPException(
                    _BAD_REQUEST, f"There is no filter by {name.removeprefix(parameter(''))}."
                )

    def _beyond(self, key: str, order: Order) -> ColumnElement[bool]:
        """What comes after the row with this key.

        Raises:
            HTTPException: there is no such row any more, or no such order.
        """
        values = self._key_values(key)
        if not order.column:
            return beyond(self.pk_columns, values, None, None, descending=False, empty=False)
        if order.column not in self._sort_fields:
            raise HTTPException(_BAD_REQUEST, f"There is no order by {order.column}.")
        column = self.shown.table.columns[order.column]
        row = self._stmt_by_identifier(key)
        with self.database.reading() as session:
            empty = session.execute(row.with_only_columns(column.is_(None))).scalar_one_or_none()
        if empty is None:
            raise HTTPException(
                _NOT_FOUND, "The row after which this list went on is gone. Begin it again."
            )
        # An alias: the subquery must not mean the row that is being compared.
        other = self.shown.table.alias()
        there = select(other.columns[order.column]).where(
            *(
                other.columns[one.name] == value
                for one, value in zip(self.pk_columns, values, strict=True)
            )
        )
        return beyond(
            self.pk_columns,
            values,
            column,
            there.scalar_subquery(),
            descending=order.descending,
            empty=empty,
        )

    def search_query(self, stmt: Select[Any], term: str) -> Select[Any]:
        """Rows of which any text column holds `term`, whatever its case."""
        columns = self.shown.table.columns
        found = [columns[name].icontains(term, autoescape=True) for name in self._search_fields]
        return stmt.where(or_(false(), *found))

    def sort_query(self, stmt: Select[Any], request: Request) -> Select[Any]:
        """As asked for; the key settles what that leaves open, or pages would repeat rows."""
        if not request.query_params.get("sortBy") and not self.shown.has_key:
            return stmt
        if request.query_params.get("sortBy"):
            stmt = super().sort_query(stmt, request)
        return stmt.order_by(*self.pk_columns)

    def _onwards(self, request: Request, row: object) -> str | None:
        if not request.query_params.get("sortBy") and not self.shown.has_key:
            return None  # such rows are in no order
        return onwards(request.url, str(get_object_identifier(row)))

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

    def _url_for_delete(self, request: Request, obj: Any) -> str:  # noqa: ANN401 - any row
        there = request.url_for("admin:delete", identity=self.identity)
        return str(there.include_query_params(pks=parameter_of(obj)))

    def links_from(self, request: Request, row: object) -> builtins.list[tuple[str, str]]:
        """What a row refers to: names of columns, and the address of the row there."""
        return [
            (", ".join(one.columns), address_of(request, one.target, one.target_columns, values))
            for one in self.shown.outgoing
            if None not in (values := [getattr(row, column) for column in one.columns])
        ]

    def links_to(self, request: Request, row: object) -> builtins.list[tuple[str, str]]:
        """What refers to a row: a list for each table and its columns, and their addresses."""
        return [
            (
                f"{one.source}.{', '.join(one.columns)}",
                address_of(request, one.source, one.columns, values),
            )
            for one in self.shown.incoming
            if None not in (values := [getattr(row, name) for name in one.target_columns])
        ]


def _conditions(query: Select[Any]) -> builtins.list[Any]:
    clause: Any = query.whereclause
    return [*(getattr(clause, "clauses", None) or [clause])]


def address_of(request: Request, identity: str, columns: Any, values: Any) -> str:  # noqa: ANN401 - names, and values of any type
    """The address of the list of the rows of a table that have these values."""
    there = request.url_for("admin:list", identity=identity)
    return f"{there}?{matching(columns, values)}"
