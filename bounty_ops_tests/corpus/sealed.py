"""What may become of a backup in shards that is encrypted with age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops_tests.corpus.damage import flipped

if TYPE_CHECKING:
    from collections.abc import Callable

#: The objects of the backup, as the cases call them.
OBJECTS: Final = ("the archive", "the first shard", "the second shard")
_NONCE: Final = 16
_TAG: Final = 16
_MAC_MARK: Final = b"\n--- "


class Damage(NamedTuple):
    """One way to spoil an encrypted object."""

    label: str
    spoil: Callable[[bytes], bytes]


def _payload(data: bytes) -> int:
    """Where the header of an age file ends."""
    return data.index(b"\n", data.index(_MAC_MARK) + len(_MAC_MARK)) + 1


def _flip(label: str, place: Callable[[bytes], slice]) -> Damage:
    return Damage(label, lambda data: flipped(data, place(data), 1, label))


DAMAGES: Final = (
    _flip("a bit of the version", lambda _: slice(0, 21)),
    _flip("a bit of the recipient", lambda data: slice(22, data.index(_MAC_MARK))),
    _flip(
        "a bit of the header's MAC",
        lambda data: slice(data.index(_MAC_MARK) + len(_MAC_MARK), _payload(data) - 2),
    ),
    _flip("a bit of the nonce", lambda data: slice(_payload(data), _payload(data) + _NONCE)),
    _flip(
        "a bit of the first block",
        lambda data: slice(_payload(data) + _NONCE, _payload(data) + _NONCE + 40),
    ),
    _flip("a bit of the last tag", lambda data: slice(len(data) - _TAG, len(data))),
    Damage("cut by a byte", lambda data: data[:-1]),
    Damage("cut by a tag", lambda data: data[:-_TAG]),
    Damage("cut after the header", lambda data: data[: _payload(data)]),
    Damage("cut after the nonce", lambda data: data[: _payload(data) + _NONCE]),
    Damage("a byte more", lambda data: data + b"\0"),
    Damage("twice", lambda data: data * 2),
)


def label_of(name: str, damage: Damage) -> str:
    """What a case is called."""
    return f"sealed: {damage.label} of {name}"


#: With a manifest that agrees with the damage; expected is a verdict, or several.
FORGED: Final = {
    "sealed: hashed after a bit of the first block flipped": {"refuted"},
    "sealed: hashed after a bit of the header's MAC flipped": {"refuted", "inconclusive"},
    "sealed: hashed after it was cut by a tag": {"refuted"},
    "sealed: hashed after it was stored in the clear": {"refuted", "inconclusive"},
    "sealed: the first shard in place of the second, hashed": {"refuted"},
    "sealed: another backup's shard, hashed": {"refuted"},
    "sealed: encrypted to somebody else, hashed": {"inconclusive"},
    "sealed: a shard less in the manifest": {"refuted"},
    "sealed: said not to be encrypted": {"unreadable"},
    "sealed: no key": {"inconclusive"},
    "sealed: somebody else's key": {"inconclusive"},
    "sealed: as it was written": {"proved"},
    "sealed: among other keys": {"proved"},
    "sealed: encrypted once more to the same key, hashed": {"proved"},
}

LABELS: Final = (
    *(label_of(name, damage) for name in OBJECTS for damage in DAMAGES),
    "sealed: the shards change places",
    "sealed: the archive and a shard change places",
    "sealed: a shard is gone",
    *FORGED,
)
