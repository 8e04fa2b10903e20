"""How much of what a sequence and its column can give is used: whichever is full first."""

from __future__ import annotations

from typing import Final, NamedTuple

_INTEGERS: Final = {"int2": 15, "int4": 31, "int8": 63}


class Span(NamedTuple):
    """The values from `low` to `high`, both included."""

    low: int
    high: int


def column_span(type_name: str, modifier: int) -> Span | None:
    """What a column of this base type and type modifier can hold; None where its type says not.

    >>> column_span("int4", -1)
    Span(low=-2147483648, high=2147483647)
    >>> column_span("numeric", ((5 << 16) | 2) + 4)
    Span(low=-999, high=999)
    """
    if type_name in _INTEGERS:
        size: int = 1 << _INTEGERS[type_name]
        return Span(-size, size - 1)
    if type_name == "numeric" and modifier >= 0:
        # As in utils/adt/numeric.c: the scale is a number of eleven bits with a sign.
        packed = modifier - 4
        precision, scale = packed >> 16 & 0xFFFF, ((packed & 0x7FF) ^ 0x400) - 0x400
        high = 10 ** max(0, precision - scale) - 1
        return Span(-high, high)
    return None


def used_ratio(span: Span, increment: int, position: int) -> float:
    """The share of the values within `span` that is used up at `position`; 1: the next one fails.

    `position` is the last value that was handed out; of a sequence that has not handed out any,
    the value one step before its first one.

    >>> used_ratio(Span(1, 10), 1, 0), used_ratio(Span(1, 10), 1, 5), used_ratio(Span(1, 10), 1, 12)
    (0.0, 0.5, 1.0)
    >>> used_ratio(Span(-10, -1), -1, -9)
    0.9
    """
    if increment < 0:
        span, increment, position = Span(-span.high, -span.low), -increment, -position
    if span.high < span.low:
        return 1.0
    steps = (span.high - span.low) // increment + 1
    left = (span.high - max(position, span.low - increment)) // increment
    return (steps - min(max(left, 0), steps)) / steps


def narrowed(sequence: Span, column: Span | None) -> Span:
    """The values that both can take."""
    if column is None:
        return sequence
    return Span(max(sequence.low, column.low), min(sequence.high, column.high))
