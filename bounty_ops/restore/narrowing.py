"""What of a manifest's inventory is about some tables, or about what came along with them. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bounty_ops.journal.records import Manifest
    from bounty_ops.restore.judge import Observation

Table = tuple[str, str]
IDENTIFIER: Final = r'(?:"(?:[^"]|"")+"|[^\s",.:]+)'
IDENTITY: Final = re.compile(rf"^({IDENTIFIER})\.({IDENTIFIER}): ")


def plain(quoted: str) -> str:
    """A name as it is, of one as it is quoted in a definition."""
    return quoted[1:-1].replace('""', '"') if quoted.startswith('"') else quoted


def narrowed(
    manifest: Manifest, observed: Observation, with_rows: frozenset[Table]
) -> dict[str, list[str]]:
    """Lines that both have, and those of the chosen tables, which the copy has to have."""
    names = []
    for line in manifest.inventory.get("tables", ()):
        match = IDENTITY.match(line)
        if match and (plain(match[1]), plain(match[2])) in with_rows:
            names.append(f"{match[1]}.{match[2]}")
    required = re.compile(
        rf"^(?:{'|'.join(map(re.escape, names))})[:.]|"
        rf" ON (?:ONLY )?(?:{'|'.join(map(re.escape, names))}) "
    )
    found: dict[str, list[str]] = {}
    for name, lines in manifest.inventory.items():
        there = Counter(observed.inventory.get(name, ()))
        must = name in {"tables", "columns", "constraints", "indexes", "triggers", "policies"}
        kept = []
        for line in lines:
            if there[line] > 0:
                there[line] -= 1
                kept.append(line)
            elif must and required.search(line) and " FOREIGN KEY " not in line:
                kept.append(line)
        found[name] = kept
    return found
