"""Damaged backups in shards that are encrypted: none is proved, and the sound one is."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyrage  # type: ignore[import-untyped] # it ships no types
import pytest

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.errors import JournalError
from bounty_ops.journal.records import Manifest, ObjectRecord, Verdict
from bounty_ops.restore import verify
from bounty_ops_tests.corpus import forged, sealed
from bounty_ops_tests.fix_backups import Backups, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs

#: Every table with a page of its own is large then.
TINY_GIB = 4096 / 2**30
KEY = pyrage.x25519.Identity.generate()
OTHER_KEY = pyrage.x25519.Identity.generate()


@dataclass(frozen=True)
class Sealed:
    """A backup in three encrypted objects, and an earlier one."""

    backups: Backups
    manifest: Manifest
    objects: tuple[bytes, ...]
    earlier: tuple[bytes, ...]

    @property
    def records(self) -> tuple[ObjectRecord, ...]:
        """Of its objects: the archive first."""
        return (self.manifest.archive, *self.manifest.shards)

    def put(self, number: int, data: bytes | None) -> None:
        key = self.records[number].key
        self.backups.store.delete(key)
        if data is not None:
            self.backups.store.put_if_absent(key, data)

    def restore_order(self) -> None:
        for number, data in enumerate(self.objects):
            self.put(number, data)
        self.backups.rewrite(self.manifest)

    def verdict(self, *keys: Any) -> str:  # noqa: ANN401 - of a library without types
        try:
            proof = self.backups.verify(self.manifest, tuple(map(str, keys or (KEY,))))
        except JournalError:
            return "unreadable"
        return proof.verdict.value

    def forged(self, number: int, data: bytes, **changes: Any) -> str:  # noqa: ANN401 - of Manifest
        """The verdict once the manifest says that this is what was stored."""
        self.put(number, data)
        records = list(self.records)
        records[number] = records[number].model_copy(
            update={"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        )
        self.backups.rewrite(self.manifest, objects=tuple(records), **changes)
        verdict = self.verdict()
        self.restore_order()
        return verdict


@pytest.fixture
def case(fresh_database: DatabaseUrl, backups: Backups) -> Sealed:
    policy: dict[str, Any] = {"shard_above_gib": TINY_GIB, "encrypt_to": (str(KEY.to_public()),)}
    run(fresh_database, *forged.SOURCE)
    run(fresh_database, "UPDATE letter SET body = 'earlier' WHERE id = 7")
    earlier = backups.take(fresh_database, **policy)
    run(fresh_database, "UPDATE letter SET body = 'x' WHERE id = 7")
    manifest = backups.take(fresh_database, **policy)
    assert len(manifest.shards) == 2
    read = backups.store.get
    return Sealed(
        backups,
        manifest,
        tuple(read(one.key) for one in (manifest.archive, *manifest.shards)),
        tuple(read(one.key) for one in (earlier.archive, *earlier.shards)),
    )


@pytest.fixture
def one_cluster(
    pg_programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """All drills of a test in one throw-away server; each makes a database of its own."""
    with throwaway_cluster(pg_programs, work_dir=tmp_path / "drill") as url:

        @contextmanager
        def the_same(*_: object, **__: object) -> Iterator[DatabaseUrl]:
            yield url

        monkeypatch.setattr(verify, "throwaway_cluster", the_same)
        yield


def test_every_damaged_object_of_an_encrypted_backup_is_refuted(case: Sealed) -> None:
    found = {}
    for number, name in enumerate(sealed.OBJECTS):
        for damage in sealed.DAMAGES:
            case.put(number, damage.spoil(case.objects[number]))
            found[sealed.label_of(name, damage)] = case.verdict()
        case.put(number, case.objects[number])
    archive, first, second = case.objects
    for label, order in {
        "sealed: the shards change places": (archive, second, first),
        "sealed: the archive and a shard change places": (first, archive, second),
        "sealed: a shard is gone": (archive, first, None),
    }.items():
        for number, data in enumerate(order):
            case.put(number, data)
        found[label] = case.verdict()

    assert {label: verdict for label, verdict in found.items() if verdict != "refuted"} == {}


def again(data: bytes, key: Any) -> bytes:  # noqa: ANN401 - of a library without types
    """The same in the clear, encrypted once more."""
    return bytes(pyrage.encrypt(pyrage.decrypt(data, [KEY]), [key.to_public()]))


@pytest.mark.usefixtures("one_cluster")
@pytest.mark.soak
def test_what_was_damaged_before_it_was_hashed_is_not_proved(case: Sealed) -> None:
    archive, first, second = case.objects
    spoil = {damage.label: damage.spoil for damage in sealed.DAMAGES}
    earlier = next(
        number
        for number in (1, 2)
        if pyrage.decrypt(case.earlier[number], [KEY])[-99:]
        != pyrage.decrypt(case.objects[number], [KEY])[-99:]
    )
    found = {
        "sealed: hashed after a bit of the first block flipped": case.forged(
            1, spoil["a bit of the first block"](first)
        ),
        "sealed: hashed after a bit of the header's MAC flipped": case.forged(
            1, spoil["a bit of the header's MAC"](first)
        ),
        "sealed: hashed after it was cut by a tag": case.forged(2, spoil["cut by a tag"](second)),
        "sealed: hashed after it was stored in the clear": case.forged(
            0, bytes(pyrage.decrypt(archive, [KEY]))
        ),
        "sealed: the first shard in place of the second, hashed": case.forged(2, first),
        "sealed: another backup's shard, hashed": case.forged(earlier, case.earlier[earlier]),
        "sealed: encrypted to somebody else, hashed": case.forged(0, again(archive, OTHER_KEY)),
        "sealed: said not to be encrypted": case.forged(0, archive, encryption=None),
        "sealed: encrypted once more to the same key, hashed": case.forged(1, again(first, KEY)),
        "sealed: no key": case.backups.verify(case.manifest).verdict.value,
        "sealed: somebody else's key": case.verdict(OTHER_KEY),
        "sealed: as it was written": case.verdict(),
        "sealed: among other keys": case.verdict(OTHER_KEY, KEY),
    }
    case.backups.rewrite(case.manifest, objects=case.records[:2])
    found["sealed: a shard less in the manifest"] = case.verdict()

    assert found.keys() == sealed.FORGED.keys()
    wrong = {one: verdict for one, verdict in found.items() if verdict not in sealed.FORGED[one]}
    assert wrong == {}


def test_the_list_of_an_encrypted_backup_says_how_it_ended(case: Sealed) -> None:
    assert case.verdict() == "proved"

    newest = case.backups.journal.summaries()[0]

    assert (newest.id, newest.verdict, newest.encrypted) == (
        case.manifest.id,
        Verdict.PROVED,
        True,
    )
