"""A filter that says when it was given something that its column cannot hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqladmin.filters import OperationColumnFilter, get_column_obj
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from sqlalchemy import Select


class TypedFilter(OperationColumnFilter):
    """sqladmin's filter by operation; it would show every row for a number that is none."""

    async def get_filtered_query(
        self,
        query: Select[Any],
        operation: str,
        value: Any,  # noqa: ANN401 - as declared there
        model: Any,  # noqa: ANN401
    ) -> Select[Any]:
        """The rows for which `column operation value` holds.

        Raises:
            HTTPException: the column cannot hold such a value, or there is no such operation.
        """
        column = get_column_obj(self.column, model)
        known = [name for name, _ in self.get_operation_options(column)]
        if operation not in known:
            raise HTTPException(400, f"{self.title}: choose one of {', '.join(known)}.")
        if self._convert_value_for_column(str(value).strip(), column, operation) is None:
            raise HTTPException(400, f"{self.title} cannot be {value!r}: it is {column.type}.")
        return await super().get_filtered_query(query, operation, value, model)
