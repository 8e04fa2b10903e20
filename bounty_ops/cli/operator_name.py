"""Who works here, for the records that people read later."""

from __future__ import annotations

import getpass
import socket


def operator_name() -> str:
    """`user@host`; a user without an entry in the system's list is named by number."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
