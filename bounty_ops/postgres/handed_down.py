"""Which of this process's variables a program of PostgreSQL is given: none with a secret of ours.

`ps e` and /proc show them to everybody who is the same user, a crash report to more; and what is
restored runs in a program that has no business with the bucket's keys.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Settings of ours, and of the libraries that we alone use, by the beginnings of their names.
_OURS: Final = ("AWS_", "BACKUP_", "DAGSTER_")
#: What variables with a secret are called, ours (channels have any name) or somebody else's.
_ADDRESSES: Final = ("_URL", "_URI", "_DSN")
_TELLING: Final = ("SECRET", "TOKEN", "PASSWORD", "PASSWD", "API_KEY", "PRIVATE_KEY")


def handed_down(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of this process (or these) without what is, or may be, a secret.

    libpq's own stay: psycopg in this process obeys them as well, and both have to reach the same
    server in the same way. Everything that is a URL goes; libpq reads none from other variables.
    """
    given = os.environ if variables is None else variables
    return {
        name: value for name, value in given.items() if name.startswith("PG") or _plain(name, value)
    }


def _plain(name: str, value: str) -> bool:
    upper = name.upper()
    return not (
        "://" in value
        or upper.startswith(_OURS)
        or upper.endswith(_ADDRESSES)
        or any(word in upper for word in _TELLING)
    )
