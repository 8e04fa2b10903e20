"""Private keys of age: read from where they are named, hidden everywhere, and told when wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyrage  # type: ignore[import-untyped] # it ships no types
import pytest

from bounty_ops.environments import load_settings
from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

ONE, OTHER = (str(pyrage.x25519.Identity.generate()) for _ in range(2))


def test_keys_of_both_places_are_known_once(tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_text(f"# created: today\n# public key: age1x\n{OTHER}\n\n{ONE}\n")

    settings = load_settings(
        tmp_path, {"BACKUP_AGE_IDENTITY": ONE, "BACKUP_AGE_IDENTITY_FILE": "keys.txt"}
    )

    assert settings.identities(encrypted=True) == (ONE, OTHER)
    assert {ONE, OTHER} <= set(settings.secrets())
    assert ONE not in repr(settings)


@pytest.mark.parametrize(
    "variables",
    [
        {"BACKUP_AGE_IDENTITY": ONE[:-1]},
        {"BACKUP_AGE_IDENTITY": "age1" + "q" * 58},
        {"BACKUP_AGE_IDENTITY_FILE": "nowhere.txt"},
        {"BACKUP_AGE_IDENTITY_FILE": "binary"},
        {"BACKUP_AGE_IDENTITY_FILE": "ssh"},
    ],
)
def test_what_is_no_key_is_told_where_it_is_needed_and_never_shown(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "ssh").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nsecret-part\n")

    settings = load_settings(tmp_path, variables)

    assert settings.identities(encrypted=False) == ()
    with pytest.raises(ConfigurationError, match="BACKUP_AGE_IDENTITY") as caught:
        settings.identities(encrypted=True)
    assert str(caught.value) in map(str, settings.problems)
    told = f"{caught.value} {caught.value.hint}"
    assert ONE[20:40] not in told
    assert "secret-part" not in told
