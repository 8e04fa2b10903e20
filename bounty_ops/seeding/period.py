"""The time in which the sample data happens: two years that end at a day fixed by the seed.

Moments are integers, microseconds since 1970: cheap to compare and to draw between. Nothing here
looks at the clock, or the same seed would not make the same data tomorrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import sqrt
from typing import Final

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_YEARS: Final = range(2000, 2101)
_DEFAULT_END: Final = date(2026, 1, 1)
_LENGTH: Final = 730 * DAY


def reference_date(seed: int) -> date:
    """Tell the day at whose start the data ends: the seed itself if it reads as YYYYMMDD.

    Every other seed ends at 2026-01-01.
    """
    year, month, day = seed // 10_000, seed // 100 % 100, seed % 100
    if year in _YEARS:
        try:
            return date(year, month, day)
        except ValueError:
            return _DEFAULT_END
    return _DEFAULT_END


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`; what the data says has been done was done in it."""

    start: int
    end: int

    @classmethod
    def of(cls, seed: int) -> Period:
        """The period that belongs to a seed."""
        day = reference_date(seed)
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        end = int(midnight.timestamp()) * SECOND
        return cls(end - _LENGTH, end)

    def growing(self, fraction: float) -> int:
        """Give the moment by which that fraction of all users had come; they come ever faster."""
        return self.start + int((self.end - self.start) * sqrt(fraction))

    def later(self, moment: int, unit: float) -> int:
        """Give a moment between `moment` and the end."""
        return moment + int((self.end - moment) * unit)

    def soon(self, moment: int, unit: float, within: int) -> int:
        """Give a moment at most `within` later, and not after the end."""
        return moment + int(min(within, self.end - moment) * unit)


_FIRST_DAY: Final = date(1970, 1, 1)
_MINUTES: Final = tuple(f" {hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60))


class Stamps:
    """Writes moments as PostgreSQL reads them: about three times as fast as `datetime` does.

    Every row has two or three of them, so this is a quarter of the time a row takes.
    """

    __slots__ = ("_days",)

    def __init__(self) -> None:
        self._days: dict[int, str] = {}

    def __call__(self, moment: int) -> str:
        """Write a moment as `2026-01-01 12:34:56.000001`."""
        day, rest = divmod(moment, DAY)
        minute, rest = divmod(rest, MINUTE)
        name = self._days.get(day)
        if name is None:
            name = self._days[day] = str(_FIRST_DAY + timedelta(days=day))
        return f"{name}{_MINUTES[minute]}{rest // SECOND:02d}.{rest % SECOND:06d}"
