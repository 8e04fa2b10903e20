"""Put what an operation answered into the types that JSON has."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum


def as_text(document: object) -> str:
    """`document` as JSON text; ASCII only, because a pipe may have any encoding."""
    return json.dumps(as_json(document), indent=2, allow_nan=False)


def as_json(value: object) -> object:  # noqa: PLR0911 - one return for each type
    """`value` with times as ISO 8601 in UTC, spans as seconds, and no number JSON cannot say.

    Raises:
        TypeError: it holds something that nobody decided how to write.
    """
    if isinstance(value, Enum):
        return as_json(value.value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(name): as_json(item) for name, item in value.items()}
    if isinstance(value, AbstractSet):
        return sorted(as_json(item) for item in value)  # type: ignore[type-var] # sets here hold names
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    raise TypeError(f"no JSON form for {type(value).__name__}")


def iso(moment: datetime) -> str:
    """`2026-11-22T02:00:00Z`; a time without a zone would be a guess, so it is refused."""
    if moment.tzinfo is None:
        raise TypeError("a time without a zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _number(value: float | Decimal) -> int | float | None:
    if not math.isfinite(value):
        return None
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return float(value)
