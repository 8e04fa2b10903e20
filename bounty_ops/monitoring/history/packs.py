"""The bytes of a pack: of up to 64 subjects, those that changed since the page's key frame.

    1 byte    0: as it is, 1: the rest is compressed by zlib
    1 byte    n, how many subjects
    1 byte    w, bytes of a length: 1, 2 or 4
    n bytes   the slot of each subject on its page, ascending
    n*w bytes the length of each entry, little endian
    entries   in the same order

An entry is one of

    gone      1 byte 0
    whole     1 byte 1, layout, texts, then every number
    changed   1 byte 2, a bit for each number (1: it differs from that of the key frame), then for
              each of those the difference of integers and times, or the real number itself

Integers have seven bits a byte, the lowest first, and their sign in the lowest bit; real numbers
are eight bytes (IEEE 754, little endian). An entry of a pack is relative to the *key frame*, never
to another pack: of several the last one says all.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops.monitoring.history.flatten import REAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bounty_ops.monitoring.history.flatten import Number

#: Subjects of a page. More make smaller samples and slower charts of one subject.
PAGE_SLOTS: Final = 64

GONE: Final = b"\x00"
_WHOLE: Final = 1
_CHANGED: Final = 2
_REAL: Final = struct.Struct("<d")
_WIDTHS: Final = {1: "B", 2: "H", 4: "I"}
_MAY_SHRINK: Final = 96
_SEVEN_BITS: Final = 0x7F


class State(NamedTuple):
    """What a subject's sample consists of."""

    layout: int
    texts: int
    numbers: tuple[Number, ...]


def whole(state: State, kinds: Sequence[str]) -> bytes:
    """The entry of a subject that refers to nothing else."""
    out = bytearray((_WHOLE,))
    write_integer(out, state.layout)
    write_integer(out, state.texts)
    for kind, number in zip(kinds, state.numbers, strict=True):
        write_number(out, kind, number)
    return bytes(out)


def changed(state: State, key: State, kinds: Sequence[str]) -> bytes:
    """The entry of a subject that has the layout and the texts that it has in the key frame."""
    differing = [at for at, number in enumerate(state.numbers) if not same(number, key.numbers[at])]
    bits = bytearray((len(kinds) + 7) // 8)
    out = bytearray()
    for at in differing:
        bits[at >> 3] |= 1 << (at & 7)
        if kinds[at] == REAL:
            out += _REAL.pack(state.numbers[at])
        else:
            write_integer(out, int(state.numbers[at]) - int(key.numbers[at]))
    return bytes((_CHANGED,)) + bytes(bits) + bytes(out)


def same(one: Number, other: Number) -> bool:
    """Whether two numbers are equal, including the sign of zero and numbers that are none."""
    if isinstance(one, float) and isinstance(other, float):
        return _REAL.pack(one) == _REAL.pack(other)
    return one == other


def is_whole(entry: bytes) -> bool:
    """Whether an entry refers to nothing else."""
    return entry[0] == _WHOLE


def texts_of(entry: bytes) -> tuple[int, int]:
    """The layout and the texts of a whole entry."""
    layout, at = read_integer(entry, 1)
    texts, _ = read_integer(entry, at)
    return layout, texts


def read_whole(entry: bytes, kinds: Sequence[str]) -> State:
    """The state that `whole` wrote."""
    layout, at = read_integer(entry, 1)
    texts, at = read_integer(entry, at)
    numbers: list[Number] = []
    for kind in kinds:
        number, at = read_number(entry, at, kind)
        numbers.append(number)
    return State(layout, texts, tuple(numbers))


def read_changed(entry: bytes, key: State, kinds: Sequence[str]) -> State:
    """The state that `changed` wrote."""
    numbers = list(key.numbers)
    bits = entry[1 : 1 + (len(kinds) + 7) // 8]
    at = 1 + len(bits)
    for position, kind in enumerate(kinds):
        if bits[position >> 3] >> (position & 7) & 1:
            number, at = read_number(entry, at, kind)
            numbers[position] = number if kind == REAL else numbers[position] + number
    return State(key.layout, key.texts, tuple(numbers))


def pack(entries: Mapping[int, bytes]) -> bytes:
    """The pack of entries by their slots."""
    slots = sorted(entries)
    lengths = [len(entries[slot]) for slot in slots]
    width = next(width for width in _WIDTHS if max(lengths, default=0) < 256**width)
    body = b"".join(
        (
            bytes((len(slots), width)),
            bytes(slots),
            struct.pack(f"<{len(slots)}{_WIDTHS[width]}", *lengths),
            *(entries[slot] for slot in slots),
        )
    )
    return squeezed(body)


def unpack(packed: bytes) -> dict[int, bytes]:
    """The entries of a pack by their slots."""
    body = unsqueezed(packed)
    lengths, at = _lengths(body)
    entries: dict[int, bytes] = {}
    for slot, length in zip(body[2 : 2 + body[0]], lengths, strict=True):
        entries[slot] = body[at : at + length]
        at += length
    return entries


def entry_of(packed: bytes, slot: int) -> bytes | None:
    """One entry of a pack, without reading the others."""
    body = unsqueezed(packed)
    position = body.find(slot, 2, 2 + body[0])
    if position < 0:
        return None
    lengths, at = _lengths(body)
    at += sum(lengths[: position - 2])
    return body[at : at + lengths[position - 2]]


def squeezed(body: bytes) -> bytes:
    """Bytes, compressed where that makes them fewer."""
    if len(body) > _MAY_SHRINK:
        smaller = zlib.compress(body, 6)
        if len(smaller) < len(body):
            return b"\x01" + smaller
    return b"\x00" + body


def unsqueezed(packed: bytes) -> bytes:
    """What `squeezed` was given."""
    return zlib.decompress(packed[1:]) if packed[0] else packed[1:]


def write_number(out: bytearray, kind: str, number: Number) -> None:
    """Append a number of a kind."""
    if kind == REAL:
        out += _REAL.pack(number)
    else:
        write_integer(out, int(number))


def read_number(data: bytes, at: int, kind: str) -> tuple[Number, int]:
    """A number of a kind, and where it ends."""
    if kind == REAL:
        return _REAL.unpack_from(data, at)[0], at + _REAL.size
    return read_integer(data, at)


def write_integer(out: bytearray, number: int) -> None:
    """Append an integer of any size."""
    rest = number << 1 if number >= 0 else (-number << 1) - 1
    while rest > _SEVEN_BITS:
        out.append(rest & _SEVEN_BITS | 0x80)
        rest >>= 7
    out.append(rest)


def read_integer(data: bytes, at: int) -> tuple[int, int]:
    """An integer, and where it ends."""
    byte = data[at]
    at += 1
    rest, shift = byte & _SEVEN_BITS, 7
    while byte & 0x80:
        byte = data[at]
        at += 1
        rest |= (byte & _SEVEN_BITS) << shift
        shift += 7
    return ((rest >> 1) if not rest & 1 else -((rest + 1) >> 1)), at


def _lengths(body: bytes) -> tuple[tuple[int, ...], int]:
    count, width = body[0], body[1]
    lengths = struct.unpack_from(f"<{count}{_WIDTHS[width]}", body, 2 + count)
    return lengths, 2 + count + count * width
