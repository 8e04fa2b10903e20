"""The bytes of a rollup: a subject's measures of one day, in equal steps.

    1 byte    1: present in every step of its family, and nothing changed; 0: otherwise
    integer   the text that names the measures and their kinds
    b bytes   a bit for each step of the day: 1, the subject was measured in it
    1 byte    w, bytes of a length: 1, 2 or 4
    n*w bytes the length of each measure's bytes, little endian
    measures  in the order of their names

A measure is

    unknown   1 byte 0
    constant  1 byte 1, the number
    lasts     1 byte 2, for each step with its bit set the number, which is the lowest, highest
              and last of the step
    ranges    1 byte 3, for each step 1 byte 0: unknown, or 1 and the last, lowest and highest

Integers are differences, to the last one before, and within a step to the last one. All of it is
compressed as a pack is. A day on which a subject is as it was at the end of a day of the same week
that has the first byte 1 has no row; nor has one on which a subject was never there.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops.monitoring.history.flatten import INTEGER, REAL
from bounty_ops.monitoring.history.packs import (
    read_integer,
    read_number,
    same,
    squeezed,
    unsqueezed,
    write_integer,
    write_number,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bounty_ops.monitoring.history.flatten import Number

_DAY: Final = timedelta(days=1)
_UNKNOWN, _CONSTANT, _LASTS, _RANGES = range(4)
_WIDTHS: Final = {1: "B", 2: "H", 4: "I"}


class Range(NamedTuple):
    """A number within a step."""

    last: Number
    low: Number
    high: Number


Steps = list[Range | None]
"""Of each step in which the subject was measured: its range, None where it is not known."""


@dataclass(frozen=True)
class Rollup:
    """A subject's day, taken apart as far as is needed to choose a measure."""

    full: bool
    """Present in every step of its family, and nothing changed."""
    names: int
    """The text that `names_text` gave."""
    present: tuple[int, ...]
    """The steps in which it was measured."""
    _measures: tuple[bytes, ...]

    def measure(self, position: int, kind: str) -> Steps:
        """The steps of one measure, as many as `present` has."""
        return _read_measure(self._measures[position], kind, len(self.present))


def names_text(kinds: Mapping[str, str]) -> str:
    """The text that names measures, and says which of them are real numbers."""
    return json.dumps(kinds, separators=(",", ":"))


def kind_of(one: str, other: str | None) -> str:
    """The kind of a measure that was stored as both."""
    return one if other in {None, one} else REAL


def write_rollup(
    steps_a_day: int,
    names: int,
    present: Sequence[int],
    measures: Sequence[tuple[str, Steps]],
    *,
    complete: bool,
) -> bytes:
    """The bytes of a subject's day.

    Args:
        steps_a_day: of this resolution.
        names: the number of the text that names the measures.
        present: the steps in which it was measured.
        measures: of each measure its kind, and its steps.
        complete: whether it was measured each time that its family was.
    """
    blobs = [_write_measure(kind, steps) for kind, steps in measures]
    constant = all(blob[0] in {_UNKNOWN, _CONSTANT} for blob in blobs)
    bits = bytearray(steps_a_day // 8)
    for step in present:
        bits[step >> 3] |= 1 << (step & 7)
    out = bytearray((complete and constant and bool(present),))
    write_integer(out, names)
    out += bits
    width = next(width for width in _WIDTHS if max(map(len, blobs), default=0) < 256**width)
    out.append(width)
    out += struct.pack(f"<{len(blobs)}{_WIDTHS[width]}", *map(len, blobs))
    for blob in blobs:
        out += blob
    return squeezed(bytes(out))


def read_rollup(body: bytes, steps_a_day: int, measures_of: Mapping[int, int]) -> Rollup:
    """A subject's day; `measures_of` says how many measures a text names."""
    data = unsqueezed(body)
    names, at = read_integer(data, 1)
    bits = int.from_bytes(data[at : at + steps_a_day // 8], "little")
    at += steps_a_day // 8
    present = tuple(step for step in range(steps_a_day) if bits >> step & 1)
    width, count = data[at], measures_of[names]
    lengths = struct.unpack_from(f"<{count}{_WIDTHS[width]}", data, at + 1)
    at += 1 + count * width
    measures = []
    for length in lengths:
        measures.append(data[at : at + length])
        at += length
    return Rollup(bool(data[0]), names, present, tuple(measures))


def names_of(body: bytes) -> int:
    """The number of the text that names the measures of a rollup."""
    return read_integer(unsqueezed(body), 1)[0]


def unchanged(body: bytes, before: bytes, steps_a_day: int) -> bool:
    """Whether a day says what a day before it said, and both are the same from end to end."""
    return _constant_part(body, steps_a_day) == _constant_part(before, steps_a_day) != b""


def is_constant(body: bytes) -> bool:
    """Whether the subject was there all day, and nothing changed."""
    return unsqueezed(body)[0] == 1


def _constant_part(body: bytes, steps_a_day: int) -> bytes:
    data = unsqueezed(body)
    if not data[0]:
        return b""
    _, at = read_integer(data, 1)
    return data[:at] + data[at + steps_a_day // 8 :]


def _write_measure(kind: str, steps: Steps) -> bytes:
    known = [step for step in steps if step is not None]
    if not known:
        return bytes((_UNKNOWN,))
    narrow = all(same(step.low, step.last) and same(step.high, step.last) for step in known)
    complete = len(known) == len(steps)
    if narrow and complete and all(same(step.last, known[0].last) for step in known):
        out = bytearray((_CONSTANT,))
        write_number(out, kind, known[0].last)
        return bytes(out)
    out = bytearray((_LASTS if narrow and complete else _RANGES,))
    before: Number = 0
    for step in steps:
        if out[0] == _RANGES:
            out.append(step is not None)
        if step is None:
            continue
        _write_relative(out, kind, step.last, before)
        if out[0] == _RANGES:
            _write_relative(out, kind, step.low, step.last)
            _write_relative(out, kind, step.high, step.last)
        before = step.last
    return bytes(out)


def _write_relative(out: bytearray, kind: str, number: Number, before: Number) -> None:
    write_number(out, kind, number if kind == REAL else number - before)


def _read_relative(data: bytes, at: int, kind: str, before: Number) -> tuple[Number, int]:
    number, at = read_number(data, at, kind)
    return (number if kind == REAL else before + number), at


def _read_measure(data: bytes, kind: str, count: int) -> Steps:
    mode, at = data[0], 1
    if mode == _UNKNOWN:
        return [None] * count
    if mode == _CONSTANT:
        number, _ = read_number(data, at, kind)
        return [Range(number, number, number)] * count
    steps: Steps = []
    before: Number = 0
    for _ in range(count):
        if mode == _RANGES:
            at += 1
            if not data[at - 1]:
                steps.append(None)
                continue
        last, at = _read_relative(data, at, kind, before)
        low = high = last
        if mode == _RANGES:
            low, at = _read_relative(data, at, kind, last)
            high, at = _read_relative(data, at, kind, last)
        steps.append(Range(last, low, high))
        before = last
    return steps


ROLLED_KINDS: Final = frozenset({INTEGER, REAL})
"""Times are not rolled up: the last VACUUM of an hour two years ago helps nobody."""
