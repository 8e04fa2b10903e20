"""Spans of time as people write them: `90s`, `5m`, `4h`, `7d`, or a number of seconds."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LONGEST: Final = timedelta(days=366)


def parse_duration(value: object) -> timedelta:
    """A span of time.

    Raises:
        ValueError: it is none, it is negative, or it is longer than a year.
    """
    if isinstance(value, timedelta):
        span = value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        span = timedelta(seconds=min(float(value), 1e9))
    elif isinstance(value, str) and (match := re.fullmatch(r"(\d{1,9})([smhdw])", value.strip())):
        span = timedelta(seconds=min(int(match[1]) * _UNITS[match[2]], 1e9))
    else:
        message = f"{value!r} is no span of time: write 90s, 5m, 4h, 7d or a number of seconds"
        raise ValueError(message)
    if not timedelta(0) <= span <= _LONGEST:
        message = f"{value!r} is not between nothing and a year"
        raise ValueError(message)
    return span


def duration_text(span: timedelta) -> str:
    """The shortest way to write it: `5m`, not `300s`."""
    seconds = span.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds:g}s"


Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), PlainSerializer(duration_text, return_type=str)
]
