"""Encrypted backups: who has a key reads them, who has none cannot, and damage is told apart."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pyrage  # type: ignore[import-untyped] # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.backup.encryption import (
    Decrypting,
    EncryptedStream,
    NoKey,
    NotDecryptable,
    opens,
    require_recipients,
)
from bounty_ops.embedded.processes import wait_until
from bounty_ops.errors import ConfigurationError, PostgresError
from bounty_ops.journal.records import ObjectRecord, Verdict
from bounty_ops_tests.fix_backups import run, sessions

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.fix_backups import Backups

ALICE, BOB, EVE = (pyrage.x25519.Identity.generate() for _ in range(3))
TO_ALICE, TO_BOB, TO_EVE = (str(one.to_public()) for one in (ALICE, BOB, EVE))


def encrypted(content: bytes, *recipients: str) -> bytes:
    with EncryptedStream(io.BytesIO(content), recipients or (TO_ALICE,)) as stream:
        return b"".join(iter(lambda: stream.read(70_000), b""))


def decrypted(data: bytes, *identities: Any, piece: int = 50_000) -> bytes:  # noqa: ANN401 - of pyrage
    file = io.BytesIO()
    with Decrypting(file, [str(one) for one in identities or (ALICE,)]) as sink:
        for start in range(0, len(data), piece):
            sink.write(data[start : start + piece])
        sink.finish()
    return file.getvalue()


@given(st.binary(max_size=300_000), st.integers(1, 100_000))
def test_what_goes_in_comes_out(content: bytes, piece: int) -> None:
    data = encrypted(content, TO_ALICE, TO_BOB)

    assert content == decrypted(data, ALICE, piece=piece) == decrypted(data, EVE, BOB, piece=piece)
    assert len(content) < 32 or content not in data


@given(st.integers(0), st.integers(0, 7))
def test_no_flipped_bit_comes_out(place: int, bit: int) -> None:
    content = os.urandom(1000) * 200
    data = bytearray(encrypted(content))
    data[place % len(data)] ^= 1 << bit

    with pytest.raises((NoKey, NotDecryptable)):
        decrypted(bytes(data))


@pytest.mark.parametrize("kept", [0, 10, 300, 65_000, 65_536 + 200, 199_000])
def test_what_was_cut_off_does_not_look_whole(kept: int) -> None:
    with pytest.raises(NotDecryptable):
        decrypted(encrypted(os.urandom(200_000))[:kept])


def test_another_key_is_not_damage() -> None:
    with pytest.raises(NoKey):
        decrypted(encrypted(b"x" * 500_000), EVE)


def test_an_error_of_the_source_is_no_end() -> None:
    class Broken:
        left = 3

        def read(self, _size: int) -> bytes:
            self.left -= 1
            if not self.left:
                raise PostgresError("pg_dump was killed", hint="x")
            return b"x" * 100_000

    with (
        EncryptedStream(Broken(), (TO_ALICE,)) as stream,
        pytest.raises(PostgresError, match="pg_dump was killed"),
    ):
        b"".join(iter(lambda: stream.read(1 << 20), b""))


def test_a_full_disk_is_told_as_such() -> None:
    class Full:
        def write(self, _data: bytes) -> int:
            raise OSError(28, "No space left on device")

    with Decrypting(cast("BinaryIO", Full()), [str(ALICE)]) as sink:
        sink.write(encrypted(b"x" * 300_000))
        with pytest.raises(OSError, match="No space left"):
            sink.finish()


def test_a_public_key_with_a_slip_is_refused_before_anything_is_locked() -> None:
    slipped = TO_ALICE[:-1] + ("q" if TO_ALICE[-1] != "q" else "p")
    require_recipients([TO_ALICE, TO_BOB])

    with pytest.raises(ConfigurationError, match="public key 2") as caught:
        require_recipients([TO_ALICE, slipped])

    assert slipped not in str(caught.value)


@pytest.mark.parametrize("shard_above_gib", [8.0, 4096 / 2**30])
def test_an_encrypted_backup_is_proved_by_who_has_a_key(
    zoo: DatabaseUrl, backups: Backups, shard_above_gib: float
) -> None:
    manifest = backups.take(zoo, encrypt_to=(TO_ALICE, TO_BOB), shard_above_gib=shard_above_gib)

    without = backups.verify(manifest)
    wrong = backups.verify(manifest, identities=(str(EVE),))
    right = backups.verify(manifest, identities=(str(EVE), str(BOB)))

    assert all(entry.key.endswith(".age") for entry in manifest.objects)
    assert without.verdict is wrong.verdict is Verdict.INCONCLUSIVE
    assert "BACKUP_AGE_IDENTITY" in str(without.reason)
    assert TO_ALICE in str(wrong.reason)
    assert (right.verdict, right.differences) == (Verdict.PROVED, ())
    for one in manifest.objects:
        data = backups.store.get(one.key)
        assert data.startswith(b"age-encryption.org/v1\n")
        assert b"PGDMP" not in data
    [summary] = backups.journal.summaries()
    assert summary.encrypted


def test_whether_a_key_opens_a_backup_is_known_from_its_beginning(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    run(
        fresh_database,
        "CREATE TABLE t AS SELECT md5(random()::text) FROM generate_series(1, 99999) g",
    )
    small = backups.take(fresh_database, encrypt_to=(TO_ALICE,), compression="zstd:9")
    large = backups.take(fresh_database, encrypt_to=(TO_ALICE,), compression="none")
    plain = backups.take(fresh_database)

    for manifest in (small, large):
        assert opens(manifest, backups.store, [str(EVE), str(ALICE)])
        assert not opens(manifest, backups.store, [str(EVE)])
        assert not opens(manifest, backups.store, [])
    assert opens(plain, backups.store, [])


def test_what_was_encrypted_wrongly_is_refuted(zoo: DatabaseUrl, backups: Backups) -> None:
    manifest = backups.take(zoo, encrypt_to=(TO_ALICE,))
    data = bytearray(backups.store.get(manifest.archive.key))
    data[-1] ^= 1
    key = manifest.archive.key
    backups.store.delete(key)
    stored = backups.store.put_if_absent(key, bytes(data))
    forged = ObjectRecord(key=key, size_bytes=stored.size_bytes, sha256=stored.sha256)

    proof = backups.verify(backups.rewrite(manifest, objects=(forged,)), identities=(str(ALICE),))

    assert proof.verdict is Verdict.REFUTED
    assert proof.differences[0].kind == "encryption"


def test_a_dump_that_dies_leaves_no_encrypted_half(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    run(
        fresh_database,
        "CREATE TABLE t AS SELECT md5(g::text) AS v FROM generate_series(1, 400000) g",
    )

    def drop(_done: int) -> None:
        run(
            fresh_database.with_database("postgres"),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'"
            f" AND datname = '{fresh_database.database}'",
        )

    with pytest.raises(PostgresError):
        backups.take(fresh_database, drop, encrypt_to=(TO_ALICE,), compression="none")

    assert backups.keys() == []
    assert backups.left_over() == []
    assert wait_until(lambda: not sessions(fresh_database), 30)
