"""How a row is changed: only what was, unless somebody else did meanwhile, and with a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import anyio.to_thread
from sqladmin.helpers import get_object_identifier
from sqlalchemy import JSON, Date, DateTime, literal_column, null
from starlette.exceptions import HTTPException
from wtforms import HiddenField  # type: ignore[import-untyped] # it has no types

from bounty_ops.errors import BountyOpsError
from bounty_ops.postgres.connect import translated
from bounty_ops.studio.forms import changed, cleaned, is_nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session
    from starlette.requests import Request

    from bounty_ops.studio.database import Database
    from bounty_ops.studio.tables import ShownTable

#: The server's own mark of a row's version; no column can have that name.
VERSION: Final = "xmin"
_FORBIDDEN: Final = 403


class EditRefused(Exception):  # noqa: N818 - what its page shows
    """What happened and what to do, in one line, for the form."""


class Editing:
    """The half of a table's view that writes. sqladmin's own way is never taken."""

    shown: ClassVar[ShownTable]
    database: ClassVar[Database]
    _stmt_by_identifier: Callable[[str], Select[Any]]
    _form_edit_rules: list[str]

    async def scaffold_form(self, rules: list[str] | None = None) -> Any:  # noqa: ANN401 - a class of wtforms
        """The form, with the version of the row that it shows."""
        form = await super().scaffold_form(rules)  # type: ignore[misc] # sqladmin's comes after
        form.xmin = HiddenField()
        return form

    async def get_form_data_for_edit(self, obj: Any) -> dict[str, Any]:  # noqa: ANN401 - any row
        """What the form shows at first."""
        found: dict[str, Any] = await super().get_form_data_for_edit(obj)  # type: ignore[misc] # as above
        for name, value in found.items():
            # A date that Python has none for: its field is empty, and left alone it stays.
            if isinstance(value, str) and isinstance(_type(self.shown, name), Date | DateTime):
                found[name] = None
        return {**found, VERSION: await anyio.to_thread.run_sync(self._version, obj)}

    def _version(self, row: Any) -> str | None:  # noqa: ANN401 - any row
        with self.database.reading() as session:
            found = session.execute(self._of(row).with_only_columns(_xmin())).scalar()
        return None if found is None else str(found)

    def _of(self, row: Any) -> Select[Any]:  # noqa: ANN401 - any row
        return self._stmt_by_identifier(str(get_object_identifier(row)))

    async def update_model(self, request: Request, pk: str, data: dict[str, Any]) -> Any:  # noqa: ANN401 - any row
        """Change a row.

        Raises:
            EditRefused: the database, the record or somebody else's change stands in the way.
        """
        form = await self.scaffold_form(self._form_edit_rules)
        before = await self.get_object_for_edit(request)  # type: ignore[attr-defined] # sqladmin's
        shown = form(data=await self.get_form_data_for_edit(before))
        came_back = form(await request.form())
        version = data.pop(VERSION, None)
        values = changed(shown, came_back, data)
        return await self._write(lambda session: self._update(session, pk, values, version))

    def _update(
        self, session: Session, pk: str, values: dict[str, Any], version: str | None
    ) -> Any:  # noqa: ANN401 - any row
        query = self._stmt_by_identifier(pk).with_for_update()
        row = session.execute(query).scalar_one_or_none()
        if row is None:
            raise EditRefused("The row is gone: somebody removed it meanwhile.")
        now = session.execute(self._stmt_by_identifier(pk).with_only_columns(_xmin())).scalar()
        if str(now) != version:
            raise EditRefused(
                "Nothing was changed: somebody else changed this row since you opened it. "
                "Open it again and look."
            )
        if chosen := [one.name for one in self.shown.table.primary_key if one.name in values]:
            raise EditRefused(
                f"Nothing was changed: {', '.join(chosen)} is the key, by which others refer to "
                "the row. Add a new row, and remove this one."
            )
        self._set(row, values)
        return row

    async def insert_model(self, request: Request, data: dict[str, Any]) -> Any:  # noqa: ANN401 - any row
        """Add a row; what was left empty is left to the database.

        Raises:
            EditRefused: the database or the record stands in the way.
        """
        del request
        given = {
            name: value
            for name, value in data.items()
            if name != VERSION and not is_nothing(self.shown.table.columns[name], value)
        }

        def insert(session: Session) -> Any:  # noqa: ANN401 - any row
            row = self.shown.model()
            self._set(row, given)
            session.add(row)
            return row

        return await self._write(insert)

    async def delete_rows(self, keys: Sequence[str]) -> None:
        """Remove rows, all of them or none.

        Raises:
            EditRefused: the database or the record stands in the way, or one of them is gone.
        """

        def delete(session: Session) -> None:
            for key in keys:
                row = session.execute(self._stmt_by_identifier(key)).scalar_one_or_none()
                if row is None:
                    raise EditRefused(
                        "Nothing was changed: a row is gone, somebody removed it meanwhile."
                    )
                session.delete(row)

        await self._write(delete)

    async def delete_model(self, request: Request, pk: Any) -> None:  # noqa: ANN401 - as declared there
        """As `delete_rows`, for sqladmin."""
        del request
        await self.delete_rows([str(pk)])

    def _set(self, row: Any, values: dict[str, Any]) -> None:  # noqa: ANN401 - any row
        for name, value in values.items():
            column = self.shown.table.columns[name]
            wanted = cleaned(column, value)
            # JSON has a null of its own, which is not what an empty field means.
            empty = wanted is None and isinstance(column.type, JSON)
            setattr(row, name, null() if empty else wanted)

    async def _write(self, work: Callable[[Session], Any]) -> Any:  # noqa: ANN401 - what it returns
        if self.database.editing is None:
            raise HTTPException(_FORBIDDEN, "This studio is read only.")
        return await anyio.to_thread.run_sync(self._carry_out, work)

    def _carry_out(self, work: Callable[[Session], Any]) -> Any:  # noqa: ANN401 - as above
        editing = self.database.editing
        assert editing is not None  # noqa: S101 - `_write` looked
        try:
            with translated(self.database.url), editing.begin() as session:
                return work(session)
        except BountyOpsError as error:
            raise EditRefused(f"Nothing was changed: {error}. {error.hint}") from None


def _type(shown: ShownTable, field: str) -> object:
    column = shown.table.columns.get(field)
    return None if column is None else column.type


def _xmin() -> Any:  # noqa: ANN401 - a column that no table declares
    return literal_column("xmin::text")
