"""Results of families as headline and lists of entries, and how the entries stood in their order.

The order of entries means something (the biggest first), and history gives it back. It is hardly
ever worth storing: most lists follow their names or one of their numbers.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bounty_ops.monitoring.result import FamilyResult

Measures = dict[str, Any]
#: The rule of an order: "name", "-field" or "+field" with ties by name, or the ranks themselves.
Order = str | list[int]
#: Not in any identifier; it tells entries apart that a family gave the same subject.
_AGAIN = "\x1f"


class Document(NamedTuple):
    """What a family measured, as JSON."""

    headline: Measures
    lists: Mapping[str, Sequence[tuple[str, Measures]]]


def document_of(family: FamilyResult) -> Document:
    """A result as JSON; `family_of` is the way back."""
    values = family.model_dump(mode="json", by_alias=True)
    lists = {
        name: _told_apart(
            (entry.subject, measures)
            for entry, measures in zip(getattr(family, name), values.pop(name), strict=True)
        )
        for name in family.lists
    }
    return Document(values, lists)


def family_of(kind: type[FamilyResult], document: Document) -> FamilyResult:
    """The result again.

    Raises:
        pydantic.ValidationError: another version of the program measured otherwise.
    """
    lists = {name: [measures for _, measures in each] for name, each in document.lists.items()}
    return kind.model_validate({**document.headline, **lists})


def order_of(entries: Sequence[tuple[str, Measures]]) -> Order:
    """A rule that `arranged` can follow to bring entries into the order that they have."""
    names = [name for name, _ in entries]
    if all(one < other for one, other in pairwise(names)):
        return "name"
    for field, value in entries[0][1].items():
        if isinstance(value, int | float):
            for rule in (f"-{field}", f"+{field}"):
                if _follows(entries, rule):
                    return rule
    rank = {name: position for position, name in enumerate(sorted(names))}
    return [rank[name] for name in names]


def arranged(entries: Mapping[str, Measures], order: Order) -> list[tuple[str, Measures]]:
    """The entries by their names, in the order that `order_of` found."""
    found = sorted(entries.items(), key=lambda entry: entry[0])
    if isinstance(order, list):
        return [found[rank] for rank in order]
    if order == "name":
        return found
    return sorted(found, key=lambda entry: _key(entry, order))


def _follows(entries: Sequence[tuple[str, Measures]], rule: str) -> bool:
    field = rule[1:]
    before = None
    for entry in entries:
        if not isinstance(entry[1].get(field), int | float):
            return False
        key = _key(entry, rule)
        if before is not None and not before < key:
            return False
        before = key
    return True


def _key(entry: tuple[str, Measures], rule: str) -> tuple[float, str]:
    name, measures = entry
    value = measures[rule[1:]]
    return (-value if rule[0] == "-" else value), name


def _told_apart(entries: Iterable[tuple[str, Measures]]) -> list[tuple[str, Measures]]:
    seen: dict[str, int] = {}
    told: list[tuple[str, Measures]] = []
    for subject, measures in entries:
        seen[subject] = times = seen.get(subject, 0) + 1
        told.append((subject if times == 1 else f"{subject}{_AGAIN}{times}", measures))
    return told
