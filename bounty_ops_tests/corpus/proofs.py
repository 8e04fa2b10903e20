"""Proofs that are not the ones that were written, and what a list says of their backup then.

Expected is what the list shows: ``unverified`` where the proof must not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Content = dict[str, Any]


class Edit(NamedTuple):
    """One way to spoil a proof; given its own content and that of one of another backup."""

    label: str
    expected: str
    change: Callable[[Content, Content], object]


def _set(label: str, **fields: object) -> Edit:
    return Edit(f"proof: {label}", "unverified", lambda own, _: own.update(fields))


def _taken(label: str, *names: str) -> Edit:
    return Edit(
        f"proof: {label}",
        "unverified",
        lambda own, other: own.update({name: other[name] for name in names}),
    )


_DIFFERENCE: Final = {"kind": "rows", "object": "a.b", "expected": "1", "found": "2"}
_NO_HASH: Final = "0" * 64

#: Of a backup that was proved.
OF_PROVED: Final = (
    _taken("another backup's", "id", "backup_id", "manifest_sha256"),
    _taken("another backup's under this id", "manifest_sha256"),
    _taken("of another backup", "backup_id"),
    _taken("with another proof's id", "id"),
    _set("of another environment", environment="production"),
    _set("another hash of the manifest", manifest_sha256=_NO_HASH),
    Edit(
        "proof: hash of the manifest in upper case",
        "unverified",
        lambda own, _: own.update(manifest_sha256=own["manifest_sha256"].upper()),
    ),
    Edit(
        "proof: without the manifest's hash",
        "unverified",
        lambda own, _: own.pop("manifest_sha256"),
    ),
    Edit("proof: without a verdict", "unverified", lambda own, _: own.pop("verdict")),
    _set("proved, with a difference", differences=[_DIFFERENCE]),
    _set("proved, with a reason for doubt", reason="the drill failed"),
    _set("proved, and no table was compared", tables_compared=0, rows_compared=0),
    Edit(
        "proof: proved, and a table was left out",
        "unverified",
        lambda own, _: own.update(tables_compared=own["tables_compared"] - 1),
    ),
    Edit(
        "proof: proved, and a row was left out",
        "unverified",
        lambda own, _: own.update(rows_compared=own["rows_compared"] - 1),
    ),
    _set("proved by counting", compare="counts"),
    _set("proved by nothing", compare="nothing"),
    _set("a verdict that there is not", verdict="sound"),
    _set("a verdict that only a list gives", verdict="unverified"),
    _set("a verdict in capitals", verdict="PROVED"),
    _set("a newer format", format_version=99),
    _set("tables below zero", tables_compared=-1),
    _set("a number as text", tables_compared="26"),
    _set("endless seconds", seconds=float("inf")),
    _set("a time without a zone", verified_at="2026-11-22T02:00:00"),
    Edit("proof: one more field", "proved", lambda own, _: own.update(later="than this program")),
    Edit(
        "proof: inconclusive without a reason",
        "unverified",
        lambda own, _: own.update(verdict="inconclusive"),
    ),
    Edit(
        "proof: refuted without a difference",
        "unverified",
        lambda own, _: own.update(verdict="refuted"),
    ),
)

#: Of a backup that was refuted by its archive's hash.
OF_REFUTED: Final = (
    _set("refuted made proved", verdict="proved"),
    _set("refuted made proved, differences taken out", verdict="proved", differences=[]),
    Edit(
        "proof: refuted made inconclusive, with a reason",
        "inconclusive",
        lambda own, _: own.update(verdict="inconclusive", reason="x"),
    ),
    _set("refuted, differences taken out", differences=[]),
)

#: Of a backup that could not be verified.
OF_INCONCLUSIVE: Final = (
    _set("inconclusive made proved", verdict="proved"),
    _set("inconclusive made proved, reason taken out", verdict="proved", reason=None),
    _set("inconclusive made refuted", verdict="refuted"),
)

#: Bytes in place of a proof.
BYTES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "proof: empty": lambda _: b"",
    "proof: cut": lambda data: data[:-4],
    "proof: twice": lambda data: data * 2,
    "proof: zeros": lambda data: bytes(len(data)),
    "proof: a byte order mark in front": lambda data: b"\xef\xbb\xbf" + data,
    "proof: first bit": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "proof: a list": lambda data: b"[" + data + b"]",
    "proof: null": lambda _: b"null",
}

LABELS: Final = (
    *(one.label for one in (*OF_PROVED, *OF_REFUTED, *OF_INCONCLUSIVE)),
    *BYTES,
    "proof: under another name",
    "proof: copied to another backup",
    "proof: of the manifest before an edit",
    "proof: older than the last one, by a clock set back",
    "proof: older than the last one, by a clock set forward",
)
