"""Encrypted backups from a terminal: who has the key proves and restores, and nobody sees it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pyrage  # type: ignore[import-untyped] # it ships no types
import pytest

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine


@pytest.fixture
def encrypting(filled: CommandLine) -> CommandLine:
    """A project that encrypts, in shards, with the private key in a file."""
    identity = pyrage.x25519.Identity.generate()
    (filled.home / "bounty_ops.toml").write_text(
        f'[defaults]\nencrypt_to = ["{identity.to_public()}"]\nshard_above_gib = 1e-6\n'
    )
    (filled.home / "key.txt").write_text(f"# a key\n{identity}\n")
    return dataclasses.replace(filled, secrets=(*filled.secrets, str(identity)))


@pytest.mark.soak
def test_it_is_proved_with_the_key_and_inconclusive_without(encrypting: CommandLine) -> None:
    with_key = encrypting.with_variables(BACKUP_AGE_IDENTITY_FILE="key.txt")
    taken = with_key.run("backup", "run", "--debug", "--json")

    assert (taken.code, taken.document["verdict"]) == (0, "proved")
    backup_id = taken.document["id"]
    without = encrypting.run("backup", "verify", backup_id, "--json")
    assert (without.code, without.document["verdict"]) == (1, "inconclusive")
    assert "BACKUP_AGE_IDENTITY" in without.document["reason"]
    again = with_key.run("backup", "verify", backup_id, "--json")
    assert (again.code, again.document["verdict"]) == (0, "proved")
    [listed] = encrypting.run("backup", "list", "--json").document
    assert listed["encrypted"] is True
    assert listed["size_bytes"] == taken.document["size_bytes"]


@pytest.mark.soak
def test_a_key_that_cannot_be_read_is_told_before_anything_is_restored(
    encrypting: CommandLine,
) -> None:
    taken = encrypting.run("backup", "run", "--no-verify", "--json")
    wrong = encrypting.with_variables(BACKUP_AGE_IDENTITY_FILE="nowhere.txt")

    outcome = wrong.run("backup", "verify", taken.document["id"])

    assert outcome.code == 2
    assert outcome.error_lines[0].startswith("error: BACKUP_AGE_IDENTITY_FILE cannot be read")


def test_a_public_key_with_a_slip_is_refused_and_nothing_is_stored(
    encrypting: CommandLine,
) -> None:
    config = encrypting.home / "bounty_ops.toml"
    text = config.read_text()
    place = text.index("age1") + 10
    other = "q" if text[place] != "q" else "p"
    config.write_text(text[:place] + other + text[place + 1 :])

    outcome = encrypting.run("backup", "run")

    assert outcome.code == 2
    assert "checksum" in outcome.error_lines[0]
    assert encrypting.run("backup", "list", "--json").document == []
