"""Cron expressions: which ones can be right, and which minutes they name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

_MONTHS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_DAY_MINUTES: Final = 24 * 60
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
#: Name, smallest and largest number, and the words that stand for them (crontab(5)).
_CRON_FIELDS: Final[tuple[tuple[str, int, int, tuple[str, ...]], ...]] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _WEEKDAYS),
)


@dataclass(frozen=True)
class CronTimes:
    """The minutes that a cron expression names."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 and 7 are Sunday."""
    either: bool
    """Whether day and weekday are both given: then one of them is enough (crontab(5))."""

    @classmethod
    def parse(cls, expression: str) -> CronTimes:
        """Read an expression that `Cron` has accepted."""
        texts = expression.split()
        minutes, hours, days, months, weekdays = (
            _numbers(text, low, high, words)
            for text, (_, low, high, words) in zip(texts, _CRON_FIELDS, strict=True)
        )
        either = not (texts[2].startswith("*") or texts[4].startswith("*"))
        return cls(minutes, hours, days, months, weekdays, either=either)

    def at(self, local: datetime) -> bool:
        """Whether it names this minute."""
        if not (
            local.minute in self.minutes and local.hour in self.hours and local.month in self.months
        ):
            return False
        day = local.day in self.days
        weekday = bool({local.isoweekday(), local.isoweekday() % 7} & self.weekdays)
        return day or weekday if self.either else day and weekday

    def within(self, now: datetime, lasts: timedelta, zone: tzinfo) -> bool:
        """Whether a window that begins at one of its times and lasts so long is open now."""
        minute = now.replace(second=0, microsecond=0)
        while now - minute < lasts:
            if self.at(minute.astimezone(zone)):
                return True
            minute -= timedelta(minutes=1)
        return False


def _five_fields(expression: str) -> str:
    """Refuse here what a scheduler would refuse later, when nobody is looking."""
    fields = expression.split()
    if len(fields) != len(_CRON_FIELDS):
        message = "a cron expression has five fields: minute hour day month weekday"
        raise ValueError(message)
    for text, (name, low, high, words) in zip(fields, _CRON_FIELDS, strict=True):
        if not all(_cron_item(item, low, high, words) for item in text.split(",")):
            message = f"the {name} of a cron expression cannot be {text!r}"
            raise ValueError(message)
    return " ".join(fields)


def _cron_item(item: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    match = re.fullmatch(r"(\*|(?P<from>\w+)(-(?P<to>\w+))?)(/(?P<step>\d+))?", item)
    if match is None or (match["step"] is not None and int(match["step"]) < 1):
        return False
    named = {word: low + position for position, word in enumerate(words)}
    bounds = []
    for text in filter(None, (match["from"], match["to"])):
        number = int(text) if text.isdecimal() else named.get(text.lower(), -1)
        if not low <= number <= high:
            return False
        bounds.append(number)
    return bounds == sorted(bounds)


def _numbers(text: str, low: int, high: int, words: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        if first == "*":
            begin, end = low, high
        else:
            begin = _number(first, low, words)
            end = _number(last, low, words) if last else (high if step else begin)
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, low: int, words: tuple[str, ...]) -> int:
    return int(text) if re.fullmatch(r"\d+", text) else low + words.index(text.lower())


def later(expression: str, minutes: int) -> str:
    """The expression that names the time `minutes` after each of the given one's.

    Args:
        expression: one that `Cron` has accepted; minute and hour have to be a number each.
        minutes: less than a day.

    Raises:
        ValueError: it names several minutes or hours, or the times would fall on another day
            while days are given.
    """
    if minutes == 0:
        return expression
    minute, hour, *days = expression.split()
    if not (minute.isdecimal() and hour.isdecimal()):
        message = (
            f"minute and hour of {expression!r} are not one number each, so it cannot be moved"
        )
        raise ValueError(message)
    day, time = divmod(int(hour) * 60 + int(minute) + minutes, _DAY_MINUTES)
    if day and days != ["*", "*", "*"]:
        message = f"{minutes} minutes after {expression!r} is another day than the given ones"
        raise ValueError(message)
    return " ".join((str(time % 60), str(time // 60), *days))


def spread_minutes(name: str, window: int) -> int:
    """A number of minutes below `window` that is always the same for `name`.

    Of many names about as many fall on each minute, and another name moves none of them.
    """
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big") * window >> 64


Cron = Annotated[str, AfterValidator(_five_fields)]
