"""Deciding what a restored copy says about its backup. Pure.

Proved only if everything that the manifest records was looked at and found alike; what cannot be
compared makes the verdict inconclusive, never proved.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounty_ops.journal.records import Difference, Manifest, TableRecord, Verdict
from bounty_ops.postgres.fingerprint import LARGE_OBJECTS, TableFingerprint, formula_of
from bounty_ops.postgres.inventory import COMPARED, VERSION
from bounty_ops.postgres.row_hash import ROW_HASHES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bounty_ops.journal.records import Compared
    from bounty_ops.postgres.sequences import SequenceState


@dataclass(frozen=True)
class Observation:
    """What a restored copy holds."""

    tables: tuple[TableFingerprint, ...]
    sequences: tuple[SequenceState, ...]
    inventory: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Judgement:
    """A verdict, and what led to it."""

    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    reason: str | None = None
    tables_compared: int = 0
    rows_compared: int = 0


def judge(manifest: Manifest, observed: Observation) -> Judgement:
    """Compare a restored copy with the manifest of its backup."""
    expected = {(one.schema_name, one.name): one for one in manifest.tables}
    found = {(one.schema, one.name): one for one in observed.tables}
    compared = [found[key] for key in expected if key in found]
    differences = (
        *_tables(expected, found, manifest.compare),
        *_sequences(manifest, observed),
        *_inventory(manifest, observed),
    )
    reason = _not_comparable(manifest)
    weaker = manifest.compare != "content"
    if reason is not None and not (weaker and differences):
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.REFUTED if differences else Verdict.PROVED
    return Judgement(verdict, differences, reason, len(compared), sum(one.rows for one in compared))


def _not_comparable(manifest: Manifest) -> str | None:
    """Why a comparison with this manifest would prove nothing, however it ended."""
    if not manifest.tables:
        return "the backup records no table, so there is nothing that could be proved"
    names = Counter((one.schema_name, one.name) for one in manifest.tables)
    twice = [f"{schema}.{name}" for (schema, name), count in names.items() if count > 1]
    if twice:
        return f"the manifest records {twice[0]} more than once"
    if manifest.inventory and manifest.inventory_version != VERSION:
        return (
            f"the manifest's inventory is of version {manifest.inventory_version}; "
            f"this program writes version {VERSION}"
        )
    missing = [name for name in COMPARED if name not in manifest.inventory]
    if missing:
        return f"the manifest does not record: {', '.join(missing)}"
    return _without_content(manifest)


def _without_content(manifest: Manifest) -> str | None:
    """Why the content of the tables cannot be compared."""
    if manifest.compare != "content":
        return (
            f"the content of the tables was not recorded (compare = {manifest.compare!r}), so it "
            "cannot be proved; everything else was compared"
        )
    if any(one.fingerprint is None for one in manifest.tables):
        return "the manifest lacks fingerprints that it says it has"
    formulas = {formula_of(one.fingerprint or "") for one in manifest.tables}
    foreign = formulas - ROW_HASHES.keys()
    if foreign or len(formulas) > 1:
        return (
            f"the manifest's fingerprints are of the kind "
            f"{', '.join(sorted(foreign or formulas))!r}; this program makes "
            f"{' or '.join(map(repr, ROW_HASHES))}, one for all tables"
        )
    return None


def _tables(
    expected: Mapping[tuple[str, str], TableRecord],
    found: Mapping[tuple[str, str], TableFingerprint],
    compare: Compared,
) -> Iterator[Difference]:
    for key in sorted(expected.keys() | found.keys()):
        label = ".".join(key)
        if key not in found:
            yield Difference(
                kind="table", object=label, expected=f"{expected[key].rows} rows", found=None
            )
        elif key not in expected:
            if compare == "nothing" and key == LARGE_OBJECTS:
                continue  # they are told by their content alone
            yield Difference(
                kind="table", object=label, expected=None, found=f"{found[key].rows} rows"
            )
        elif compare == "nothing":
            continue
        elif expected[key].rows != found[key].rows:
            yield Difference(
                kind="rows",
                object=label,
                expected=str(expected[key].rows),
                found=str(found[key].rows),
            )
        elif compare == "content" and expected[key].fingerprint != found[key].fingerprint:
            yield Difference(
                kind="content",
                object=label,
                expected=expected[key].fingerprint,
                found=found[key].fingerprint,
            )


def _sequences(manifest: Manifest, observed: Observation) -> Iterator[Difference]:
    """A copy must not hand out a value again; further on than recorded is fine.

    The definitions (start, increment, owner ...) are compared with the inventory.
    """
    found = {(one.schema, one.name): one for one in observed.sequences}
    for recorded in manifest.sequences:
        one = found.get((recorded.schema_name, recorded.name))
        label = f"{recorded.schema_name}.{recorded.name}"
        if one is None:
            yield Difference(
                kind="sequence", object=label, expected=str(recorded.last_value), found=None
            )
        elif recorded.last_value is not None and not _reaches(one, recorded.last_value):
            yield Difference(
                kind="sequence",
                object=label,
                expected=f"at least {recorded.last_value}",
                found="not used yet" if one.last_value is None else str(one.last_value),
            )


def _reaches(sequence: SequenceState, recorded: int) -> bool:
    if sequence.last_value is None:
        return False
    if sequence.cycles:  # it may have begun anew since
        return True
    if sequence.increment < 0:
        return sequence.last_value <= recorded
    return sequence.last_value >= recorded


def _inventory(manifest: Manifest, observed: Observation) -> Iterator[Difference]:
    """Lines that only one side has; those about the same object are told as one difference."""
    for name in COMPARED:
        expected = Counter(manifest.inventory.get(name, ()))
        found = Counter(observed.inventory.get(name, ()))
        lost = list((expected - found).elements())
        gained = list((found - expected).elements())
        for line in sorted(lost):
            subject = _subject(line)
            counterpart = next((one for one in gained if _subject(one) == subject), None)
            if counterpart is not None:
                gained.remove(counterpart)
            yield Difference(kind=name, object=subject, expected=line, found=counterpart)
        for line in sorted(gained):
            yield Difference(kind=name, object=_subject(line), expected=None, found=line)


def _subject(line: str) -> str:
    return line.partition(": ")[0]
