"""The table of contents of an archive, as `pg_restore --list --verbose` tells it. Pure.

One line an entry: ``227; 1259 17318 TABLE app animal zoo_owner``, and below it the numbers of the
entries that it needs. Names stand there unquoted, so a name is looked for, never taken apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_LINE: Final = re.compile(r"^(\d+); \d+ \d+ (.*)$")
_NEEDS: Final = re.compile(r"^;\s+depends on: ([\d ]+)$")
#: Kinds of more than one word; any other kind is the first word of its line.
_LONG_KINDS: Final = (
    "ACCESS METHOD", "BLOB COMMENTS", "BLOB DATA", "BLOB METADATA", "CHECK CONSTRAINT",
    "DATABASE PROPERTIES", "DEFAULT ACL", "EVENT TRIGGER", "FK CONSTRAINT", "FOREIGN DATA WRAPPER",
    "FOREIGN TABLE", "INDEX ATTACH", "LARGE OBJECT", "MATERIALIZED VIEW DATA", "MATERIALIZED VIEW",
    "OPERATOR CLASS", "OPERATOR FAMILY", "PROCEDURAL LANGUAGE", "PUBLICATION TABLES IN SCHEMA",
    "PUBLICATION TABLE", "ROW SECURITY", "SECURITY LABEL", "SEQUENCE OWNED BY", "SEQUENCE SET",
    "SHELL TYPE", "STATISTICS DATA", "SUBSCRIPTION TABLE", "TABLE ATTACH", "TABLE DATA",
    "TEXT SEARCH CONFIGURATION", "TEXT SEARCH DICTIONARY", "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE", "USER MAPPING",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One entry of an archive."""

    number: int
    kind: str
    text: str
    """Schema, name and owner, as far as it has them, with blanks between."""
    needs: frozenset[int]
    line: str


def read_contents(listing: str) -> dict[int, Entry]:
    """The entries by number, in the archive's order."""
    found: dict[int, Entry] = {}
    last: Entry | None = None
    for line in listing.splitlines():
        if match := _LINE.match(line):
            kind = next(
                (one for one in _LONG_KINDS if match[2].startswith(f"{one} ")),
                match[2].partition(" ")[0],
            )
            text = match[2][len(kind) + 1 :]
            last = Entry(int(match[1]), kind, text, frozenset(), line)
            found[last.number] = last
        elif last is not None and (match := _NEEDS.match(line)):
            needs = frozenset(map(int, match[1].split()))
            last = Entry(last.number, last.kind, last.text, needs, last.line)
            found[last.number] = last
    return found
