"""What a file says about itself: its first bytes, and what `pg_restore --list` makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_CUSTOM: Final = b"PGDMP"
_BEGINNING_BYTES: Final = 512
_FIELD: Final = re.compile(r"^;\s+([A-Za-z_ ]+): (.*)$", re.MULTILINE)
_CREATED: Final = re.compile(
    r"^; Archive created at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.MULTILINE
)
_MAJOR: Final = re.compile(r"\d+")
_ENCODING: Final = re.compile(r"^SET client_encoding = '([A-Za-z0-9_]+)';$", re.MULTILINE)
#: Magic bytes of what people pipe a dump through.
_COMPRESSED: Final = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -d"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ": ("xz", "unxz"),
    b"PK\x03\x04": ("zip", "unzip"),
}
_CUSTOM_HINT: Final = "Dump it again with pg_dump --format=custom."


@dataclass(frozen=True)
class ArchiveHeader:
    """What an archive in custom format says about itself."""

    created_at: datetime
    """The clock of the machine that dumped it; which zone that was in is not recorded, so UTC."""
    database: str
    compression: str
    server_version: str
    client_version: str

    @property
    def client_major(self) -> int:
        """The major version of the pg_dump that wrote it."""
        return _major(self.client_version)


def require_custom_format(path: Path) -> None:
    """Refuse what is no archive in custom format, and say what it is instead.

    Raises:
        UsageError: it is something else.
    """
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING_BYTES)
    if beginning.startswith(_CUSTOM):
        return
    what, hint = _kind(beginning)
    raise UsageError(f"{path} is {what}, not a pg_dump archive in custom format", hint=hint)


def _kind(beginning: bytes) -> tuple[str, str]:
    if not beginning:
        return "empty", "A dump that was broken off leaves such a file. " + _CUSTOM_HINT
    for magic, (name, program) in _COMPRESSED.items():
        if beginning.startswith(magic):
            return f"compressed with {name}", f"Unpack it first ({program}); then import it."
    if beginning.startswith(b"age-encryption.org/"):
        return "encrypted with age", "Decrypt it first: age --decrypt -i KEY FILE > archive.dump"
    if beginning.startswith(b"toc.dat\0"):
        return "a pg_dump archive in tar format", _CUSTOM_HINT
    if b"PostgreSQL database" in beginning or beginning.lstrip().startswith(b"--"):
        why = "A plain SQL dump that was cut off restores without an error. "
        return "a plain SQL dump", why + _CUSTOM_HINT
    return "something else", _CUSTOM_HINT


def read_header(listing: str) -> ArchiveHeader:
    """Read what `pg_restore --list` wrote.

    Raises:
        ValueError: it says less than every pg_dump since 9.0 has said.
    """
    created = _CREATED.search(listing)
    fields = dict(_FIELD.findall(listing))
    missing = {"dbname", "Dumped from database version", "Dumped by pg_dump version"} - set(fields)
    if created is None or missing:
        raise ValueError("the archive does not say when, by what and of what it was made")
    return ArchiveHeader(
        created_at=datetime.strptime(created[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC),
        database=fields["dbname"],
        compression=_compression(fields.get("Compression", "unknown")),
        server_version=fields["Dumped from database version"].partition(" ")[0],
        client_version=fields["Dumped by pg_dump version"].partition(" ")[0],
    )


def read_encoding(sql: str) -> str:
    """The encoding of the database, from the SQL that pg_restore makes of an archive."""
    found = _ENCODING.search(sql)
    return "UTF8" if found is None else found[1]


def _compression(told: str) -> str:
    # Until version 15 pg_restore tells the level: -1 is zlib's default, 0 is none.
    if re.fullmatch(r"-?\d+", told):
        return "none" if told == "0" else "gzip"
    return told


def _major(version: str) -> int:
    found = _MAJOR.match(version)
    if found is None:
        raise ValueError(f"{version!r} is no version")
    return int(found[0])
