"""Comparing what was restored with the manifest, as a verification does, where less was wished.

The judge is that of verifications. Here the manifest is first brought to what was to be restored:
without owners, or only some tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.restore.judge import Judgement, Observation, judge
from bounty_ops.restore.observing import observe_as

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Difference, Manifest, Verdict

#: A difference in these is one in the rows themselves.
CONTENT: Final = frozenset({"table", "rows", "content", "sequence"})
_OWNER: Final = re.compile(r'\bowner (?:"(?:[^"]|"")+"|\(bootstrap superuser\)|[^\s,]+)')
_LARGE_OBJECTS: Final = re.compile(r"\d+ large objects of ")
_WITHOUT_OWNER: Final = ("grants", "default_grants")


@dataclass(frozen=True)
class Comparison:
    """What a comparison showed, and whether it speaks against handing the copy over."""

    verdict: Verdict
    tables: int
    rows: int
    differences: tuple[Difference, ...]
    grave: tuple[Difference, ...]
    """Those that speak against it."""
    reason: str | None


def compare(
    manifest: Manifest,
    url: DatabaseUrl,
    *,
    no_owner: bool,
    other_major: bool,
    narrowed: Callable[[Manifest, Observation], Manifest] | None = None,
) -> Comparison:
    """Compare a restored database with the manifest of its backup.

    Args:
        manifest: of the backup.
        url: of the restored database.
        no_owner: owners and privileges were left away.
        other_major: the server is of another major than the source: it may write the same
            definition in other words, so only differences in rows speak against the copy.
        narrowed: brings the manifest to the tables that were chosen.
    """
    observed = observe_as(manifest, url)
    if no_owner:
        manifest = manifest.model_copy(update={"inventory": _ownerless(manifest.inventory)})
        observed = Observation(observed.tables, observed.sequences, _ownerless(observed.inventory))
    if other_major:
        manifest = manifest.model_copy(update={"inventory": _portable(manifest.inventory)})
        observed = Observation(observed.tables, observed.sequences, _portable(observed.inventory))
    if narrowed is not None:
        manifest = narrowed(manifest, observed)
    judgement: Judgement = judge(manifest, observed)
    grave = tuple(one for one in judgement.differences if one.kind in CONTENT or not other_major)
    return Comparison(
        judgement.verdict,
        judgement.tables_compared,
        judgement.rows_compared,
        judgement.differences,
        grave,
        judgement.reason,
    )


def _portable(inventory: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Without what only some majors have: NOT NULL is a constraint of its own since 18."""
    constraints = [one for one in inventory.get("constraints", ()) if ": NOT NULL " not in one]
    return {**{name: list(lines) for name, lines in inventory.items()}, "constraints": constraints}


def _ownerless(inventory: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {
        name: []
        if name in _WITHOUT_OWNER
        else sorted(_OWNER.sub("owner -", one) for one in lines if not _LARGE_OBJECTS.match(one))
        for name, lines in inventory.items()
    }
