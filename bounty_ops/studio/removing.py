"""How rows are named when they are removed, several at once.

sqladmin's pages put the keys of chosen rows side by side into an address, with commas between them
and as they are. A key that holds a comma would be taken for two keys, and other rows be removed.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote

from sqladmin.helpers import get_object_identifier

_PLAIN: Final = re.compile(r"[\w.@:;-]+", re.ASCII)


def name_of(row: object) -> str:
    """The key of a row as a script may put it into an address; most keys are that already."""
    key = str(get_object_identifier(row))
    # Twice: once for the address, and once for the commas.
    return key if _PLAIN.fullmatch(key) else quote(quote(key, safe=""), safe="")


def parameter_of(row: object) -> str:
    """The same as a value that is still to be encoded for an address."""
    return unquote(name_of(row))


def keys_of(parameter: str) -> list[str]:
    """The keys that an address names, decoded but for what `name_of` did."""
    return [unquote(one) for one in parameter.split(",") if one]
