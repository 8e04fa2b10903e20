"""The studio as one ASGI application."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bounty_ops.errors import (
    BountyOpsError,
    InsufficientPrivilege,
    ServerUnavailable,
    UsageError,
)
from bounty_ops.postgres.connect import translated
from bounty_ops.postgres.diagnose import diagnose
from bounty_ops.studio.guard import Guard
from bounty_ops.studio.pages import DiagramPage, DictionaryPage, QueryPage, Studio
from bounty_ops.studio.removing import name_of
from bounty_ops.studio.tables import read_tables
from bounty_ops.studio.views import view_of
from bounty_ops.studio.window import COUNT_MILLISECONDS, WINDOW

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bounty_ops.studio.database import Database
    from bounty_ops.studio.guard import Session
    from bounty_ops.studio.tables import ShownTable

_HERE: Final = Path(__file__).parent
#: Of sqladmin's addresses: what nobody offers here is not there. Some of the others would read
#: files of this machine by a path that a column holds.
_OFFERED: Final = frozenset(
    {"statics", "index", "list", "details", "delete", "create", "edit"}
    # A form asks for its address; there is nothing to look up without relationships.
    | {"ajax_lookup"}
)


def application(database: Database, session: Session) -> Starlette:
    """Read which tables there are, and build the pages.

    Raises:
        PostgresError: the database does not answer.
    """
    with translated(database.url), database.reader.connect() as connection:
        tables = read_tables(connection, database.secrets)
    outer = Starlette(middleware=[Middleware(Guard, session=session)])
    outer.router.routes.append(
        Mount(f"{session.path}/own", StaticFiles(directory=_HERE / "static"), name="own")
    )
    studio = _studio(outer, database, tables, session)
    for page in (QueryPage, DiagramPage, DictionaryPage):
        # A class of its own for each studio: sqladmin keeps what it needs on the class.
        studio.add_view(type(page.__name__, (page,), {"database": database}))
    for shown in tables.values():
        studio.add_view(view_of(shown, database))
    return outer


def _studio(
    outer: Starlette, database: Database, tables: dict[str, ShownTable], session: Session
) -> Studio:
    made = type("OneStudio", (Studio,), {"database": database, "tables": tables})(
        outer,
        session_maker=database.reading,
        base_url=session.path,
        title=f"{database.access.environment} - bounty-ops studio",
        favicon_url="data:,",  # a browser would ask for one where nothing is answered
        templates_dir=str(_HERE / "templates"),
    )
    routes = made.admin.router.routes
    routes[:] = [route for route in routes if _name(route) in _OFFERED]
    made.templates.env.globals.update(
        access=database.access,
        get_object_identifier=name_of,
        window=WINDOW,
        count_seconds=COUNT_MILLISECONDS // 1000,
    )

    async def failed(request: Request, error: Exception) -> Response:
        told = _told(error, database)
        status = _status(error, told)
        context = {"status_code": status, "message": str(told), "hint": told.hint}
        answer: Response = await made.templates.TemplateResponse(
            request, "sqladmin/error.html", context, status_code=status
        )
        return answer

    for kind in (DBAPIError, psycopg.Error, BountyOpsError):
        made.admin.add_exception_handler(kind, failed)
    return made  # type: ignore[no-any-return] # a class made here has no type


def _name(route: object) -> str:
    return (route.name or "") if isinstance(route, Route | Mount) else ""


def _told(error: Exception, database: Database) -> BountyOpsError:
    if isinstance(error, BountyOpsError):
        return error
    original = getattr(error, "orig", error)
    if isinstance(original, psycopg.DataError) and original.sqlstate is None:
        # The driver's own: what was asked for cannot even be sent, such as the character NUL.
        return UsageError(f"this cannot be asked for: {original}", hint="Correct the address.")
    if isinstance(original, psycopg.Error):
        return diagnose(original, database.url)
    return ServerUnavailable(
        f"{database.url.address()}: the connection was lost", hint="Try again in a moment."
    )


def _status(error: Exception, told: BountyOpsError) -> int:
    if isinstance(told, InsufficientPrivilege):
        return 403
    state = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    # 22: a value that the column cannot hold, such as a number that is too large; 42: an order or
    # a comparison that its type does not have.
    return 400 if isinstance(told, UsageError) or state.startswith(("22", "42")) else 503
