"""Manifests that are not the ones that were written: edited, stale, of something else.

An edit works on the stored JSON, as an accident or a forger would. Expected is the verdict of a
verification of the backup, or ``unreadable`` where it is refused without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from bounty_ops.postgres.inventory import COMPARED

if TYPE_CHECKING:
    from collections.abc import Callable

Content = dict[str, Any]


class Edit(NamedTuple):
    """One way to spoil a manifest."""

    label: str
    expected: str
    change: Callable[[Content], object]


def _edit(label: str, expected: str, change: Callable[[Content], object]) -> Edit:
    return Edit(f"manifest: {label}", expected, change)


def _set(*path: str | int, to: object) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        place: Any = content
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


def _as_of_an_older_kind(content: Content) -> None:
    for one in content["tables"]:
        one["fingerprint"] = "valuesum1:" + one["fingerprint"].partition(":")[2]


def _table(content: Content, name: str = "many") -> Content:
    [found] = [one for one in content["tables"] if one["name"] == name]
    return cast("Content", found)


def _last_digit(content: Content) -> None:
    one = _table(content)
    one["fingerprint"] = one["fingerprint"][:-1] + ("0" if one["fingerprint"][-1] != "0" else "1")


def _fingerprints_swapped(content: Content) -> None:
    first, second = _table(content, "parted_1"), _table(content, "parted_2")
    first["fingerprint"], second["fingerprint"] = second["fingerprint"], first["fingerprint"]


TABLES: Final = (
    _edit("a row more", "refuted", lambda c: _table(c).update(rows=_table(c)["rows"] + 1)),
    _edit("a row less", "refuted", lambda c: _table(c).update(rows=_table(c)["rows"] - 1)),
    _edit("no row", "refuted", lambda c: _table(c).update(rows=0)),
    _edit("rows as text", "unreadable", lambda c: _table(c).update(rows="73")),
    _edit("rows with a fraction", "unreadable", lambda c: _table(c).update(rows=73.5)),
    _edit("rows below zero", "unreadable", lambda c: _table(c).update(rows=-1)),
    _edit("a digit of a fingerprint", "refuted", _last_digit),
    _edit("two fingerprints change places", "refuted", _fingerprints_swapped),
    _edit("an empty fingerprint", "inconclusive", lambda c: _table(c).update(fingerprint="")),
    _edit("no fingerprint", "inconclusive", lambda c: _table(c).update(fingerprint=None)),
    _edit(
        "a fingerprint of another kind",
        "inconclusive",
        lambda c: _table(c).update(fingerprint="rowsum2:" + "0" * 32),
    ),
    _edit(
        "a fingerprint in upper case",
        "refuted",
        lambda c: _table(c).update(fingerprint="valuesum2:" + "A" * 16),
    ),
    _edit(
        "a fingerprint of an older kind",
        "inconclusive",
        lambda c: _table(c).update(fingerprint="valuesum1:" + "0" * 16),
    ),
    _edit(
        "fingerprints that say they are of an older kind",
        "refuted",
        _as_of_an_older_kind,
    ),
    _edit("a table is missing", "refuted", lambda c: c["tables"].remove(_table(c))),
    _edit(
        "an empty table is missing",
        "refuted",
        lambda c: c["tables"].remove(_table(c, "empty_table")),
    ),
    _edit("all tables but one are missing", "refuted", lambda c: c.update(tables=[_table(c)])),
    _edit("no table", "inconclusive", lambda c: c.update(tables=[])),
    _edit("a table twice", "inconclusive", lambda c: c["tables"].append(_table(c))),
    _edit(
        "a table twice, once with other rows",
        "inconclusive",
        lambda c: c["tables"].append({**_table(c), "rows": 0}),
    ),
    _edit("a table more", "refuted", lambda c: c["tables"].append({**_table(c), "name": "more"})),
    _edit("another name of a table", "refuted", lambda c: _table(c).update(name="Many")),
    _edit("another schema of a table", "refuted", lambda c: _table(c).update(schema="app")),
    _edit(
        "large objects are missing",
        "refuted",
        lambda c: c["tables"].remove(_table(c, "pg_largeobject")),
    ),
    _edit("tables is no list", "unreadable", lambda c: c.update(tables={})),
)


def _sequence(content: Content, name: str) -> Content:
    [found] = [one for one in content["sequences"] if one["name"] == name]
    return cast("Content", found)


SEQUENCES: Final = (
    _edit(
        "a sequence further on", "refuted", lambda c: _sequence(c, "far").update(last_value=1025)
    ),
    _edit(
        "a sequence that was never used is",
        "refuted",
        lambda c: _sequence(c, "untouched").update(last_value=1),
    ),
    _edit(
        "a sequence more",
        "refuted",
        lambda c: c["sequences"].append({**_sequence(c, "far"), "name": "more"}),
    ),
    _edit("a value as text", "unreadable", lambda c: _sequence(c, "far").update(last_value="1024")),
)


def _lines(name: str, change: Callable[[list[str]], list[str]]) -> Callable[[Content], None]:
    def edit(content: Content) -> None:
        content["inventory"][name] = change(content["inventory"][name])

    return edit


def _without(name: str) -> Callable[[Content], object]:
    return lambda content: content["inventory"].pop(name)


INVENTORY: Final = (
    *(
        _edit(f"a line of {name} is missing", "refuted", _lines(name, lambda lines: lines[1:]))
        for name in COMPARED
    ),
    *(
        _edit(f"a line of {name} more", "refuted", _lines(name, lambda lines: [*lines, "x: y"]))
        for name in COMPARED
    ),
    *(
        _edit(
            f"a line of {name} says something else",
            "refuted",
            _lines(name, lambda lines: [*lines[:-1], lines[-1] + "x"]),
        )
        for name in COMPARED
    ),
    *(
        _edit(f"a line of {name} twice", "refuted", _lines(name, lambda lines: [*lines, lines[0]]))
        for name in COMPARED
    ),
    *(_edit(f"all {name} are missing", "refuted", _lines(name, lambda _: [])) for name in COMPARED),
    *(_edit(f"{name} are not recorded", "inconclusive", _without(name)) for name in COMPARED),
    _edit(
        "lines in another order",
        "proved",
        lambda c: [lines.reverse() for lines in c["inventory"].values()],
    ),
    _edit("a class that is not known", "proved", lambda c: c["inventory"].update(later=["x"])),
    _edit("no inventory", "inconclusive", lambda c: c.update(inventory={})),
    _edit("a line is no text", "unreadable", _lines("indexes", lambda _: [1])),  # type: ignore[list-item]
)

_OTHER_HASH: Final = "0" * 64

RECORD: Final = (
    _edit("another hash of the archive", "refuted", _set("objects", 0, "sha256", to=_OTHER_HASH)),
    _edit(
        "the hash in upper case",
        "unreadable",
        lambda c: c["objects"][0].update(sha256=c["objects"][0]["sha256"].upper()),
    ),
    _edit(
        "half a hash",
        "unreadable",
        lambda c: c["objects"][0].update(sha256=c["objects"][0]["sha256"][:32]),
    ),
    _edit("no hash", "unreadable", lambda c: c["objects"][0].pop("sha256")),
    _edit(
        "a byte more",
        "refuted",
        lambda c: c["objects"][0].update(size_bytes=c["objects"][0]["size_bytes"] + 1),
    ),
    _edit("no byte", "refuted", _set("objects", 0, "size_bytes", to=0)),
    _edit("size below zero", "unreadable", _set("objects", 0, "size_bytes", to=-1)),
    _edit(
        "more bytes than there is room",
        "inconclusive",
        _set("objects", 0, "size_bytes", to=1 << 60),
    ),
    _edit("no object", "unreadable", _set("objects", to=[])),
    _edit("the object twice", "unreadable", lambda c: c["objects"].append(c["objects"][0])),
    _edit("another object", "unreadable", _set("objects", 0, "key", to="backups/x/y/archive.dump")),
    _edit(
        "an object outside of its place",
        "unreadable",
        _set("objects", 0, "key", to="../archive.dump"),
    ),
    _edit("another id", "unreadable", _set("id", to="20200101T000000Z-00000000")),
    _edit("an id with a slash", "unreadable", _set("id", to="../20200101T000000Z-00000000")),
    _edit("another environment", "unreadable", _set("environment", to="production")),
    _edit("a newer format", "unreadable", _set("format_version", to=99)),
    _edit("no format", "unreadable", lambda c: c.pop("format_version")),
    _edit("format as text", "unreadable", _set("format_version", to="1")),
    _edit("a time without a zone", "unreadable", _set("taken_at", to="2026-11-22T02:00:00")),
    _edit("no time", "unreadable", lambda c: c.pop("taken_at")),
    _edit("another major of pg_dump", "inconclusive", _set("client_version", to="18.1")),
    _edit("another major of the server", "inconclusive", _set("server_major", to=18)),
    _edit(
        "a major that is not here",
        "inconclusive",
        lambda c: c.update(server_major=99, client_version="99.1"),
    ),
    _edit("one more field", "proved", _set("later", to="than this program")),
)


class Stale(NamedTuple):
    """A manifest that takes over something of another backup's."""

    label: str
    expected: str
    change: Callable[[Content, Content], object]
    """Given the own content, to be changed, and the other's."""


def _become(own: Content, other: Content, *kept: str) -> None:
    own.update({name: value for name, value in other.items() if name not in kept})


_IDENTITY: Final = ("id", "environment")

STALE: Final = (
    Stale("manifest: the other backup's", "unreadable", _become),
    Stale(
        "manifest: the other backup's under this id",
        "unreadable",
        lambda own, other: _become(own, other, *_IDENTITY),
    ),
    Stale(
        "manifest: the other backup's for this archive's key",
        "refuted",
        lambda own, other: own["objects"][0].update(
            {name: other["objects"][0][name] for name in ("sha256", "size_bytes")}
        ),
    ),
    Stale(
        "manifest: the other backup's tables",
        "refuted",
        lambda own, other: own.update(tables=other["tables"]),
    ),
    Stale(
        "manifest: all of the other backup's but the archive",
        "refuted",
        lambda own, other: _become(own, other, *_IDENTITY, "objects"),
    ),
    Stale(
        "manifest: the other backup's hash and tables",
        "refuted",
        lambda own, other: (
            own["objects"][0].update(
                sha256=other["objects"][0]["sha256"], size_bytes=other["objects"][0]["size_bytes"]
            ),
            own.update(tables=other["tables"]),
        ),
    ),
)


class Bytes(NamedTuple):
    """Bytes that are no manifest."""

    label: str
    expected: str
    spoil: Callable[[bytes], bytes]


BYTES: Final = (
    Bytes("manifest: empty", "unreadable", lambda _: b""),
    Bytes("manifest: cut by one", "unreadable", lambda data: data[:-3]),
    Bytes("manifest: cut in half", "unreadable", lambda data: data[: len(data) // 2]),
    Bytes("manifest: twice", "unreadable", lambda data: data * 2),
    Bytes(
        "manifest: a byte order mark in front", "unreadable", lambda data: b"\xef\xbb\xbf" + data
    ),
    Bytes("manifest: in UTF-16", "unreadable", lambda data: data.decode().encode("utf-16")),
    Bytes("manifest: zeros", "unreadable", lambda data: bytes(len(data))),
    Bytes("manifest: a list", "unreadable", lambda data: b"[" + data + b"]"),
    Bytes("manifest: null", "unreadable", lambda _: b"null"),
    Bytes("manifest: first bit", "unreadable", lambda data: bytes([data[0] ^ 1]) + data[1:]),
    Bytes("manifest: a comment", "unreadable", lambda data: b"// edited\n" + data),
    Bytes(
        "manifest: NaN seconds",
        "unreadable",
        lambda data: data.replace(b'"seconds": ', b'"seconds": NaN, "was": '),
    ),
)

ALL: Final = (*TABLES, *SEQUENCES, *INVENTORY, *RECORD)
LABELS: Final = (
    *(one.label for one in ALL),
    *(one.label for one in STALE),
    *(one.label for one in BYTES),
)
