"""Which columns a form can take in, and what in a form was really changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqladmin.fields import BooleanField, JSONField, Select2TagsField, SelectField
from sqladmin.forms import ModelConverter, converts
from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Time,
    Uuid,
)
from wtforms import TextAreaField  # type: ignore[import-untyped] # it has no types
from wtforms.validators import Optional  # type: ignore[import-untyped] # it has no types
from wtforms.widgets import TextInput  # type: ignore[import-untyped] # it has no types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Column
    from sqlalchemy.orm import ColumnProperty
    from wtforms import Field, Form

_TYPES: Final = (String, Boolean, Integer, Numeric, Float, Date, Time, DateTime, JSON, Uuid)


class _JSONField(JSONField):
    """sqladmin's shows `{}` for NULL, for an empty list, for 0 and for false."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else json.dumps(self.data, ensure_ascii=False)


class Converter(ModelConverter):
    """sqladmin's, with a type that SQLAlchemy 2.1 took from under another one."""

    def _prepare_column(
        self, prop: ColumnProperty[Any], form_include_pk: bool, kwargs: dict[str, Any]
    ) -> dict[str, Any] | None:
        found: dict[str, Any] | None = super()._prepare_column(prop, form_include_pk, kwargs)
        column = prop.columns[0]
        if found is not None and column.server_default is not None and not column.nullable:
            found["validators"].append(Optional())  # what is left empty, the database fills in
        return found

    @converts("DateTime")  # type: ignore[untyped-decorator] # as declared there
    def conv_datetime(self, model: type, prop: ColumnProperty[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401 - as declared there
        """A plain field with every digit: a picker in the browser rewrites times nobody touched."""
        kwargs["widget"] = TextInput()
        kwargs["format"] = ["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
        return super().conv_datetime(model, prop, kwargs)

    @converts("Date")  # type: ignore[untyped-decorator] # as declared there
    def conv_date(self, model: type, prop: ColumnProperty[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401 - as declared there
        """A plain field, as for times."""
        kwargs["widget"] = TextInput()
        return super().conv_date(model, prop, kwargs)

    @converts("Float")  # type: ignore[untyped-decorator] # as declared there
    def conv_float(self, model: type, prop: ColumnProperty[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401 - as declared there
        """A field for `real` and `double precision`."""
        return self.conv_decimal(model, prop, kwargs)

    @converts("JSON", "JSONB")  # type: ignore[untyped-decorator] # as declared there
    def conv_json(self, model: type, prop: ColumnProperty[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401, ARG002 - as declared there
        """A field that shows nothing for NULL, and an empty list as one."""
        return _JSONField(**kwargs)

    @converts("Hidden")  # type: ignore[untyped-decorator] # as declared there
    def conv_hidden(self, model: type, prop: ColumnProperty[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401, ARG002 - as declared there
        """A field for a secret of a new row."""
        return TextAreaField(**kwargs)


def is_editable(column: Column[Any]) -> bool:
    """Whether a form can show the column's values and give them back unharmed."""
    kind = column.type
    if column.computed is not None or isinstance(kind, LargeBinary):
        return False
    if isinstance(kind, ARRAY):
        return isinstance(kind.item_type, String) and (kind.dimensions or 1) == 1
    return isinstance(kind, _TYPES)


def changed(before: Form, after: Form, data: Mapping[str, Any]) -> dict[str, Any]:
    """What of `data` a person changed, by what the form showed before and what came back.

    Not by the values: a form shows NULL as nothing, and numbers in a form of its own.
    """
    names = {field.name: field.short_name for field in after}
    return {
        name: value
        for name, value in data.items()
        if name in names and _shown(before[names[name]]) != _shown(after[names[name]])
    }


def _shown(field: Field) -> object:
    if isinstance(field, BooleanField | SelectField | Select2TagsField):
        return field.data or None if not isinstance(field, BooleanField) else bool(field.data)
    # Browsers send the ends of lines as CR LF, whatever they were given.
    return str(field._value()).replace("\r\n", "\n")  # noqa: SLF001 - what its widget shows


def cleaned(column: Column[Any], value: object) -> object:
    """A form's value as the column should hold it: nothing is NULL where there may be NULL."""
    if isinstance(value, str):
        value = value.replace("\r\n", "\n")
    return None if column.nullable and is_nothing(column, value) else value


def is_nothing(column: Column[Any], value: object) -> bool:
    """Whether a field was left empty; an empty list is a value where the column holds JSON."""
    return value is None or value == "" or (value == [] and not isinstance(column.type, JSON))
