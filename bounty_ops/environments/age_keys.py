"""The private keys that open encrypted backups, from variables or a file of age's own form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: An X25519 identity: Bech32, in capitals (age specification, v1).
_IDENTITY: Final = re.compile(r"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}")
_LARGEST_FILE: Final = 1 << 20


def age_identities(variables: Mapping[str, str], home: Path) -> tuple[str, ...]:
    """The keys of `BACKUP_AGE_IDENTITY` and of the file that `BACKUP_AGE_IDENTITY_FILE` names.

    A file is one that `age-keygen` writes: a key a line, lines with `#` are comments. A relative
    path starts at the project's directory.

    Raises:
        ConfigurationError: the file cannot be read, or something in it is no key.
    """
    found = _keys("BACKUP_AGE_IDENTITY", variables.get("BACKUP_AGE_IDENTITY", ""))
    named = variables.get("BACKUP_AGE_IDENTITY_FILE", "").strip()
    if named:
        found += _keys("BACKUP_AGE_IDENTITY_FILE", _read(home / Path(named).expanduser()))
    return tuple(dict.fromkeys(found))


def _keys(name: str, text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    if any(not _IDENTITY.fullmatch(key) for key in keys):  # which may be a key with a slip in it
        raise ConfigurationError(
            f"{name} holds something that is no private key of age",
            hint="A key is one line that begins with AGE-SECRET-KEY-1, as `age-keygen` writes it; "
            "keys of other kinds (ssh, plugins, passphrases) are not supported.",
        )
    return keys


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LARGEST_FILE)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(
            f"BACKUP_AGE_IDENTITY_FILE cannot be read: {reason}",
            hint="Name a file that `age-keygen -o FILE` wrote, readable for this user only.",
        ) from None
