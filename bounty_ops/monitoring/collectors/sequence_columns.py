"""The columns that sequences feed."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops.monitoring.collectors.sequence_limits import Span, column_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bounty_ops.monitoring.collectors.sequence_reading import Listed
    from bounty_ops.monitoring.probe import Probe


class Column(NamedTuple):
    """A column that holds values of a sequence."""

    schema: str
    table: str
    name: str
    base_type: str
    modifier: int
    type_name: str
    fed: bool

    @property
    def qualified(self) -> str:
        """Its name with schema and table."""
        return f"{self.schema}.{self.table}.{self.name}"

    @property
    def span(self) -> Span | None:
        """What it can hold."""
        return column_span(self.base_type, self.modifier)


#: `bounty_id_seq`, `public."Bounty_id_seq"`: what a default may call its sequence.
_NAMED: Final = re.compile(
    r'(?:(?P<schema>"(?:[^"]|"")+"|\w[\w$]*)\.)?(?P<name>"(?:[^"]|"")+"|\w[\w$]*)'
)


def read_columns(
    probe: Probe, listed: Iterable[Listed]
) -> tuple[dict[int, list[Column]], list[Column]]:
    """The columns of each sequence; and those that take values of one that cannot be told.

    Raises:
        psycopg.Error: the statement failed.
    """
    by_name: dict[str, list[Listed]] = defaultdict(list)
    for one in listed:
        by_name[one.name].append(one)
    columns: dict[int, list[Column]] = defaultdict(list)
    nameless = []
    for oid, named, *rest in probe.rows("sequence_columns"):
        column = Column(*rest)
        owner = oid if named is None else _sequence_named(named, by_name)
        if owner is not None:
            columns[owner].append(column)
        elif column.fed:
            nameless.append(column)
    return columns, nameless


def _sequence_named(text: str, by_name: Mapping[str, list[Listed]]) -> int | None:
    """The sequence that a default calls by name, if there is no doubt which one it is."""
    match = _NAMED.fullmatch(text.replace("''", "'"))
    if match is None:
        return None
    schema = match["schema"] and _identifier(match["schema"])
    candidates = [
        one
        for one in by_name.get(_identifier(match["name"]), ())
        if schema is None or one.schema == schema
    ]
    return candidates[0].oid if len(candidates) == 1 else None


def _identifier(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()
