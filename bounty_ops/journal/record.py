"""What all durable records have in common: how they are written, and how they are read.

Times are UTC, sizes are bytes, durations are seconds.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic_core import from_json

from bounty_ops.errors import JournalError

UtcTime = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
RecordId = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$")]
EnvironmentName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Value(BaseModel):
    """A part of a record, or something that is derived from records."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True)


class Record(Value):
    """A value that is stored as an object of its own."""

    kind: ClassVar[str]
    newest_format: ClassVar[int] = 1
    """The newest ``format_version`` of its kind that this program understands."""


AnyRecord = TypeVar("AnyRecord", bound=Record)


def record_bytes(record: Record) -> bytes:
    """Return the one JSON form of a record: sorted keys, UTF-8, a line feed at the end."""
    content = record.model_dump(mode="json", by_alias=True)
    text = json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def parse_record(model: type[AnyRecord], data: bytes, *, where: str) -> AnyRecord:
    """Read a record; ``where`` (its key) is for the message.

    Raises JournalError when the bytes are not JSON, the format is of a newer version, or a field
    is missing or has the wrong type. Values are not converted: a size given as text is an error.
    """
    try:
        content: Any = from_json(data)
    except ValueError:
        raise _unreadable(model, where, "it is not JSON") from None
    if not isinstance(content, dict):
        raise _unreadable(model, where, "it is not a JSON object")
    version = content.get("format_version")
    if type(version) is not int:
        raise _unreadable(model, where, "format_version is missing or not a number")
    if version > model.newest_format:
        raise JournalError(
            f"the {model.kind} {where} has format version {version}; "
            f"this program knows versions up to {model.newest_format}",
            hint="upgrade bounty-ops to the version that wrote it, or newer",
        )
    try:
        return model.model_validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the whole"
        raise _unreadable(model, where, f"{place}: {first['msg']}") from None


def _unreadable(model: type[Record], where: str, why: str) -> JournalError:
    return JournalError(
        f"the {model.kind} {where} cannot be read: {why}",
        hint="it was damaged or edited after it was written; restore the object from a copy or an "
        "older version in the bucket, or remove it",
    )
