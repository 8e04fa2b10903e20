"""The studio's own pages: queries, the diagram, the data dictionary, and the first one."""

from __future__ import annotations

from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import parse_qsl, urlsplit

import anyio
import anyio.to_thread
import psycopg
from markupsafe import Markup
from sqladmin import Admin, BaseView, expose
from sqladmin.authentication import login_required
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from bounty_ops.errors import BountyOpsError
from bounty_ops.studio.asking import (
    CSV_LETTERS,
    CSV_ROWS,
    PAGE_LETTERS,
    PAGE_ROWS,
    Answer,
    as_csv,
    ask,
)
from bounty_ops.studio.diagram import draw
from bounty_ops.studio.editing import EditRefused
from bounty_ops.studio.removing import keys_of
from bounty_ops.studio.shape import enum_shapes, table_shapes
from bounty_ops.studio.tables import read_sizes

if TYPE_CHECKING:
    from starlette.requests import Request

    from bounty_ops.studio.database import Database
    from bounty_ops.studio.tables import ShownTable

_FOUND_WRONG: Final = 400
_FORBIDDEN: Final = 403
#: Each query has a connection of its own, and a server has few.
_QUERIES_AT_ONCE: Final = 4
_CANCEL_SECONDS: Final = 3.0


class Studio(Admin):
    """sqladmin's application with a first page that says what there is."""

    database: ClassVar[Database]
    tables: ClassVar[dict[str, ShownTable]]

    @login_required
    async def index(self, request: Request) -> Response:
        """Every table with its size."""

        def sizes() -> dict[Any, Any]:
            with self.database.reader.connect() as connection:
                return read_sizes(connection)

        found = await anyio.to_thread.run_sync(sizes)
        rows = [(one, found.get((one.schema, one.table.name))) for one in self.tables.values()]
        return await self.templates.TemplateResponse(
            request, "sqladmin/index.html", {"rows": rows, "title": "Tables"}
        )

    @login_required
    async def delete(self, request: Request) -> Response:
        """Remove rows, all of those that were chosen or none; answers where to go."""
        identity = request.path_params["identity"]
        view: Any = self._find_model_view(identity)
        if not view.can_delete:
            raise HTTPException(_FORBIDDEN, "Rows of this table cannot be removed here.")
        came_from = urlsplit(request.headers.get("referer", "")).query
        there = {name: value for name, value in parse_qsl(came_from) if name != "error"}
        try:
            await view.delete_rows(keys_of(request.query_params.get("pks", "")))
        except EditRefused as error:
            there["error"] = str(error)
        goal = request.url_for("admin:list", identity=identity).include_query_params(**there)
        return PlainTextResponse(str(goal))


class QueryPage(BaseView):
    """One query that reads, its rows, its plan, and all of it for a spreadsheet."""

    name = "Query"
    icon = "fa-solid fa-terminal"
    database: ClassVar[Database]

    def __init__(self) -> None:
        super().__init__()
        self._turns = anyio.CapacityLimiter(_QUERIES_AT_ONCE)

    @expose("/query", methods=["GET", "POST"], identity="query")
    async def query(self, request: Request) -> Response:
        """Show the form, or what came of it."""
        # The query is in the body, never in an address: those end up in histories.
        form = await request.form() if request.method == "POST" else {}
        sql, wish = str(form.get("sql", "")), str(form.get("wish", "run"))
        answer: Answer | None = None
        failure: BountyOpsError | None = None
        if sql.strip():
            try:
                answer = await self._ask_unless_it_ends(sql, wish)
            except BountyOpsError as error:
                failure = error
        if answer is not None and wish == "csv":
            return _download(answer)
        context = {
            "title": "Query",
            "sql": sql,
            "answer": answer,
            "explained": wish == "explain",
            "failure": failure,
            "limit": PAGE_ROWS,
            "csv_limit": CSV_ROWS,
        }
        return await self.templates.TemplateResponse(
            request, "studio/query.html", context, _FOUND_WRONG if failure else 200
        )

    async def _ask_unless_it_ends(self, sql: str, wish: str) -> Answer:
        """Let Ctrl-C end a query too, instead of waiting for it."""
        asking: list[psycopg.Connection[Any]] = []
        try:
            return await anyio.to_thread.run_sync(
                self._ask, sql, wish, asking, limiter=self._turns, abandon_on_cancel=True
            )
        except anyio.get_cancelled_exc_class():
            for connection in asking:
                with suppress(psycopg.Error):
                    connection.cancel_safe(timeout=_CANCEL_SECONDS)
            raise

    def _ask(self, sql: str, wish: str, asking: list[psycopg.Connection[Any]]) -> Answer:
        for_a_file = wish == "csv"
        return ask(
            self.database.url,
            sql,
            secrets=self.database.secrets,
            most=CSV_ROWS if for_a_file else PAGE_ROWS,
            letters=CSV_LETTERS if for_a_file else PAGE_LETTERS,
            run=wish != "explain",
            connected=asking.append,
        )


def _download(answer: Answer) -> Response:
    # A file that is cut says so in its name: nobody reads a page beside it.
    name = f"first-{len(answer.rows)}-rows" if answer.cut else "query"
    name += "-with-values-cut.csv" if answer.shortened else ".csv"
    return Response(
        as_csv(answer),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


class DiagramPage(BaseView):
    """What refers to what, drawn from the models."""

    name = "Diagram"
    icon = "fa-solid fa-diagram-project"

    @expose("/diagram", identity="diagram")
    async def diagram(self, request: Request) -> Response:
        """All tables, or one with its neighbours."""
        focus = request.query_params.get("table") or None
        here = request.url_for("admin:view-diagram")
        try:
            picture = draw(focus, link=lambda name: str(here.include_query_params(table=name)))
        except KeyError:
            raise HTTPException(404, f"The models have no table {focus}.") from None
        context = {
            "title": "Diagram",
            "picture": Markup(picture),  # noqa: S704 - all names in it are the models'
            "focus": focus,
            "browse": request.url_for("admin:list", identity=focus) if focus else None,
            "tables": sorted(table.name for table in table_shapes()),
        }
        return await self.templates.TemplateResponse(request, "studio/diagram.html", context)


class DictionaryPage(BaseView):
    """Every table and column of the models in words."""

    name = "Dictionary"
    icon = "fa-solid fa-book"

    @expose("/dictionary", identity="dictionary")
    async def dictionary(self, request: Request) -> Response:
        """The whole dictionary."""
        context = {
            "title": "Data dictionary",
            "domains": [
                (domain, list(tables))
                for domain, tables in groupby(table_shapes(), key=lambda one: one.domain)
            ],
            "enums": enum_shapes(),
        }
        return await self.templates.TemplateResponse(request, "studio/dictionary.html", context)
