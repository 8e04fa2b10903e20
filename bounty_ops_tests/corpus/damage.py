"""What may become of an archive in storage or on the way: none of it may be called proved.

Every damage is a label and a function of the archive, deterministic: chance is seeded by the label.
"""

from __future__ import annotations

import base64
import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from bounty_ops_tests.corpus.archive_format import Layout, layout


@dataclass(frozen=True)
class Scene:
    """An archive, and another one of nearly the same database."""

    archive: bytes
    other: bytes

    @property
    def layout(self) -> Layout:
        """Where things lie in the archive."""
        return layout(self.archive)

    def block(self, name: str) -> slice:
        """Where the rows of a table lie."""
        return self.layout.data[name]


class Damage(NamedTuple):
    """One way to spoil an archive."""

    label: str
    spoil: Callable[[Scene], bytes]


Place = Callable[[Scene], slice]

#: Blocks of data of which each is hit.
BLOCKS: Final = (
    'TABLE DATA Zoo Größe "quoted".Tisch mit "Namen" 🐘',
    "TABLE DATA app.animal",
    "TABLE DATA app.child",
    "TABLE DATA app.event_2024_rest",
    "TABLE DATA app.event_2024_sad",
    "TABLE DATA app.grandchild",
    "TABLE DATA app.one",
    "TABLE DATA app.one_column",
    "TABLE DATA app.other",
    "TABLE DATA app.parent",
    "TABLE DATA app.unlogged",
    "TABLE DATA app.without_columns",
    "TABLE DATA corpus.kept",
    "TABLE DATA corpus.many",
    "TABLE DATA corpus.ordered",
    "TABLE DATA corpus.parted_1",
    "TABLE DATA corpus.parted_2",
    "TABLE DATA shown.one",
    "BLOBS 70001",
    "BLOBS 70002",
    "BLOBS 70003",
)
_TAIL: Final = 64


def flipped(data: bytes, place: slice, bits: int, seed: str) -> bytes:
    """The data with some bits of one place the other way round."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    start, stop, _ = place.indices(len(data))
    changed = bytearray(data)
    for position in chance.sample(range(start * 8, stop * 8), bits):
        changed[position // 8] ^= 1 << position % 8
    return bytes(changed)


def _flip(where: str, place: Place, bits: int, number: int) -> Damage:
    what = "one bit" if bits == 1 else f"{bits} bits"
    label = f"archive: {what} in {where}, #{number}"
    return Damage(label, lambda scene: flipped(scene.archive, place(scene), bits, label))


def _header(scene: Scene) -> slice:
    return scene.layout.header


def _contents(scene: Scene) -> slice:
    return scene.layout.contents


def _block(name: str) -> Place:
    return lambda scene: scene.block(name)


def _tail(scene: Scene) -> slice:
    return slice(len(scene.archive) - _TAIL, len(scene.archive))


def _anywhere(scene: Scene) -> slice:
    return slice(0, len(scene.archive))


FLIPS: Final = (
    *(_flip("the header", _header, 1, number) for number in range(8)),
    *(_flip("the table of contents", _contents, 1, number) for number in range(16)),
    *(_flip(name, _block(name), 1, number) for name in BLOCKS for number in range(2)),
    *(_flip("the tail", _tail, 1, number) for number in range(8)),
    *(_flip("all of it", _anywhere, bits, 0) for bits in (2, 3, 8, 64, 1024)),
    _flip("the header", _header, 2, 0),
    _flip("the table of contents", _contents, 2, 0),
    _flip("the tail", _tail, 2, 0),
    *(_flip(name, _block(name), 2, 0) for name in BLOCKS[:4]),
)


def _zeroed(size: int, part: float) -> Damage:
    def spoil(scene: Scene) -> bytes:
        start = int((len(scene.archive) - size) * part)
        return scene.archive[:start] + bytes(size) + scene.archive[start + size :]

    return Damage(f"archive: {size} bytes zeroed at {part:.0%}", spoil)


def _sectors_swapped(scene: Scene) -> bytes:
    data = scene.archive
    first, second = slice(80_000, 80_512), slice(100_000, 100_512)
    return (
        data[: first.start]
        + data[second]
        + data[first.stop : second.start]
        + data[first]
        + data[second.stop :]
    )


OVERWRITTEN: Final = (
    *(_zeroed(size, part) for size in (512, 4096) for part in (0, 0.3, 0.6, 0.8, 1)),
    Damage("archive: two sectors change places", _sectors_swapped),
    Damage("archive: every bit the other way", lambda s: bytes(b ^ 255 for b in s.archive)),
    Damage("archive: last byte only", lambda s: s.archive[:-1] + bytes([s.archive[-1] ^ 255])),
)


def _cut(label: str, stop: Callable[[Scene], int]) -> Damage:
    return Damage(f"archive: cut {label}", lambda scene: scene.archive[: stop(scene)])


def _cut_by(size: int) -> Damage:
    return _cut(f"by {size} bytes", lambda scene: len(scene.archive) - size)


def _cut_to(percent: int) -> Damage:
    return _cut(f"to {percent} %", lambda scene: len(scene.archive) * percent // 100)


def _cut_before(name: str) -> Damage:
    return _cut(f"before {name}", lambda scene: scene.block(name).start)


TRUNCATED: Final = (
    *(_cut_by(size) for size in (1, 2, 5, 64, 512, 4096)),
    *(_cut_to(percent) for percent in (10, 50, 60, 90, 99)),
    _cut("to 1 byte", lambda _: 1),
    _cut("to its first word", lambda _: 5),
    _cut("to its version", lambda _: 11),
    _cut("after the header", lambda s: s.layout.header.stop),
    _cut("after the table of contents", lambda s: s.layout.contents.stop),
    *(_cut_before(name) for name in BLOCKS[12:]),
    Damage("archive: empty", lambda _: b""),
    Damage("archive: first byte lost", lambda s: s.archive[1:]),
    Damage("archive: a byte lost in the middle", lambda s: s.archive[:90_000] + s.archive[90_001:]),
)

EXTENDED: Final = (
    Damage("archive: a zero byte more", lambda s: s.archive + b"\0"),
    Damage("archive: a line feed more", lambda s: s.archive + b"\n"),
    Damage("archive: a sector of zeros more", lambda s: s.archive + bytes(512)),
    Damage("archive: twice", lambda s: s.archive * 2),
    Damage("archive: a byte more in the middle", lambda s: s.archive[:9] + b"x" + s.archive[9:]),
    Damage("archive: its last 64 bytes again", lambda s: s.archive + s.archive[-64:]),
    Damage("archive: the other one behind", lambda s: s.archive + s.other),
)


def _without(name: str) -> Damage:
    def spoil(scene: Scene) -> bytes:
        place = scene.block(name)
        return scene.archive[: place.start] + scene.archive[place.stop :]

    return Damage(f"archive: without {name}", spoil)


def _again(name: str) -> Damage:
    return Damage(
        f"archive: {name} again", lambda scene: scene.archive + scene.archive[scene.block(name)]
    )


def _with_others(scene: Scene, place: slice, other: slice) -> bytes:
    return scene.archive[: place.start] + scene.other[other] + scene.archive[place.stop :]


def _block_of_other(name: str) -> Damage:
    return Damage(
        f"archive: the other backup's {name}",
        lambda s: _with_others(s, s.block(name), layout(s.other).data[name]),
    )


def _blocks_swapped(scene: Scene) -> bytes:
    first, second = (scene.block(f"TABLE DATA corpus.parted_{number}") for number in (1, 2))
    data = scene.archive
    return data[: first.start] + data[second] + data[first] + data[second.stop :]


REARRANGED: Final = (
    *(_without(name) for name in BLOCKS[12:18]),
    *(_again(name) for name in BLOCKS[12:15]),
    Damage("archive: two blocks change places", _blocks_swapped),
    _block_of_other("TABLE DATA corpus.parted_1"),
)

TRANSLATED: Final = (
    Damage("archive: LF made CR LF", lambda s: s.archive.replace(b"\n", b"\r\n")),
    Damage("archive: zero bytes lost", lambda s: s.archive.replace(b"\0", b"")),
    Damage("archive: seven bits", lambda s: bytes(byte & 127 for byte in s.archive)),
    Damage("archive: Latin-1 written as UTF-8", lambda s: s.archive.decode("latin1").encode()),
    Damage("archive: a byte order mark in front", lambda s: b"\xef\xbb\xbf" + s.archive),
    Damage("archive: compressed once more", lambda s: gzip.compress(s.archive, mtime=0)),
    Damage("archive: base64", lambda s: base64.b64encode(s.archive)),
    Damage("archive: backwards", lambda s: s.archive[::-1]),
)

REPLACED: Final = (
    Damage("archive: the other backup's", lambda s: s.other),
    Damage("archive: as many zeros", lambda s: bytes(len(s.archive))),
    Damage(
        "archive: as many random bytes",
        lambda s: random.Random(1).randbytes(len(s.archive)),  # noqa: S311 - no secret
    ),
    Damage(
        "archive: an error of the store", lambda _: b"<Error><Code>InternalError</Code></Error>"
    ),
    Damage("archive: an empty JSON object", lambda _: b"{}"),
)

ALL: Final = (*FLIPS, *OVERWRITTEN, *TRUNCATED, *EXTENDED, *REARRANGED, *TRANSLATED, *REPLACED)
