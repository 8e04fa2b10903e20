"""Where things lie in an archive of pg_dump's custom format, so that each can be damaged.

Read by the layout in PostgreSQL's pg_backup_archiver.c and pg_backup_custom.c, without any program
of PostgreSQL: a header, the table of contents, and then one block of data after the other, each
with its number, as pieces with their lengths, up to a piece of length zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MAGIC: Final = b"PGDMP"
_BLOCK_OF_LARGE_OBJECTS: Final = 3
_ZSTD_AND_OTHERS_SINCE: Final = (1, 15)
_RELKIND_SINCE: Final = (1, 16)
_TIME_FIELDS: Final = 7


@dataclass(frozen=True)
class Layout:
    """The places of an archive's parts, as slices of its bytes."""

    header: slice
    contents: slice
    """The table of contents."""
    data: dict[str, slice]
    """Of each block, by what it holds: ``TABLE DATA schema.table``, ``BLOBS`` and such."""


class _Reader:
    def __init__(self, archive: bytes) -> None:
        self.archive = archive
        self.at = 0
        self.int_size = 4
        self.offset_size = 8

    def byte(self) -> int:
        self.at += 1
        return self.archive[self.at - 1]

    def integer(self) -> int:
        negative = self.byte()
        value = int.from_bytes(self.archive[self.at : self.at + self.int_size], "little")
        self.at += self.int_size
        return -value if negative else value

    def text(self) -> str | None:
        length = self.integer()
        if length < 0:
            return None
        self.at += length
        return self.archive[self.at - length : self.at].decode()


def layout(archive: bytes) -> Layout:
    """Find out where everything lies."""
    reader = _Reader(archive)
    version = _read_header(reader)
    header = slice(0, reader.at)
    names = _read_contents(reader, version)
    contents = slice(header.stop, reader.at)
    return Layout(header, contents, _read_data(reader, names))


def _read_header(reader: _Reader) -> tuple[int, int]:
    if not reader.archive.startswith(_MAGIC):
        raise ValueError("not an archive in custom format")
    reader.at = len(_MAGIC)
    version = (reader.byte(), reader.byte())
    reader.byte()
    reader.int_size, reader.offset_size = reader.byte(), reader.byte()
    reader.byte()
    if version >= _ZSTD_AND_OTHERS_SINCE:
        reader.byte()
    else:
        reader.integer()
    for _ in range(_TIME_FIELDS):
        reader.integer()
    for _ in range(3):
        reader.text()
    return version


def _read_contents(reader: _Reader, version: tuple[int, int]) -> dict[int, str]:
    names: dict[int, str] = {}
    for _ in range(reader.integer()):
        number = reader.integer()
        reader.integer()
        reader.text(), reader.text()
        tag, kind = reader.text(), reader.text()
        reader.integer()
        reader.text(), reader.text(), reader.text()
        schema = reader.text()
        reader.text(), reader.text()
        if version >= _RELKIND_SINCE:
            reader.integer()
        reader.text(), reader.text()
        while reader.text() is not None:
            pass
        reader.at += 1 + reader.offset_size
        names[number] = f"{kind} {schema}.{tag}" if schema else f"{kind} {tag}"
    return names


def _read_data(reader: _Reader, names: dict[int, str]) -> dict[str, slice]:
    blocks: dict[str, slice] = {}
    while reader.at < len(reader.archive):
        start = reader.at
        kind, number = reader.byte(), reader.integer()
        if kind == _BLOCK_OF_LARGE_OBJECTS:
            while reader.integer() != 0:
                _skip_pieces(reader)
        else:
            _skip_pieces(reader)
        blocks[names[number]] = slice(start, reader.at)
    return blocks


def _skip_pieces(reader: _Reader) -> None:
    while (length := reader.integer()) != 0:
        reader.at += length
