"""Reading a catalog from a live database."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.migrating.catalog.canonical import canonical
from bounty_ops.migrating.catalog.model import PARTS, Catalog, Item, Key
from bounty_ops.migrating.catalog.sequence import Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    import psycopg
    from psycopg.rows import TupleRow

#: A row of PostgreSQL's catalogs: which one, the OID, and the number of a column or 0.
Address = tuple[str, int, int]

_OBJECTS: Final = (
    "tables",
    "columns",
    "defaults",
    "constraints",
    "indexes",
    "views",
    "functions",
    "triggers",
    "rules",
    "policies",
    "sequences",
    "types",
    "statistics",
    "extensions",
    "others",
)
_QUERIES: Final = frozenset({"view", "materialized_view", "rule"})
_LONGEST_CHAIN: Final = 5

#: Every name is written qualified then, but for pg_catalog's own, and constants in one way only.
_SETTINGS: Final = {
    "search_path": "pg_catalog",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "3",
    "bytea_output": "hex",
}


def read_catalog(connection: psycopg.Connection[TupleRow]) -> Catalog:
    """Read schema `public`, without what extensions brought along and without partitions.

    The connection may be in a transaction or not; nothing of its settings is changed for later.
    """
    with connection.transaction(force_rollback=True):
        for name, value in _SETTINGS.items():
            connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
        return _read(connection)


def _read(connection: psycopg.Connection[TupleRow]) -> Catalog:
    found = [row for name in _OBJECTS for row in _rows(connection, name)]
    addresses = _Addresses(
        {(row[2], row[3], row[4]): (row[0], *row[1]) for row in found},
        {tuple(row[:3]): tuple(row[3:6]) for row in _rows(connection, "aliases")},
    )
    needs = _needs(_rows(connection, "dependencies"), addresses)
    known = {(row[0], *row[1]) for row in found}
    items = [_item(row, needs, known) for row in found]
    items += _comments(_rows(connection, "comments"), addresses)
    owners: dict[Key, str] = {}
    grants: dict[Key, Mapping[str, str]] = {}
    for *address, owner, granted, attribute in _rows(connection, "owners"):
        key = addresses.own((address[0], address[1], address[2]))
        if key is None:
            continue
        if attribute is not None and key[0] != "column":
            key = ("column", *key[1:], attribute)
        if owner is not None:
            owners[key] = owner
        if granted:
            grants[key] = granted
    return Catalog(
        major=connection.info.server_version // 10000,
        items={item.key: item for item in sorted(items, key=lambda item: item.key)},
        owners=owners,
        grants=grants,
    )


def _rows(connection: psycopg.Connection[TupleRow], name: str) -> list[TupleRow]:
    folder = resources.files("bounty_ops.migrating.catalog").joinpath("queries")
    common = folder.joinpath("_common.sql").read_text("utf-8")
    statement = folder.joinpath(f"{name}.sql").read_text("utf-8")
    return connection.execute(f"{common}{statement}".encode()).fetchall()


class _Addresses:
    """Which object a row of PostgreSQL's catalogs is, or belongs to."""

    def __init__(
        self, keys: Mapping[Address, Key], aliases: Mapping[tuple[Any, ...], tuple[Any, ...]]
    ) -> None:
        self._keys = keys
        self._aliases = aliases

    def own(self, address: Address) -> Key | None:
        """The object itself; of a column that is none, the relation that has it."""
        catalog, oid, _ = address
        return self._keys.get(address) or self._keys.get((catalog, oid, 0))

    def __call__(self, address: Address) -> Key | None:
        for _ in range(_LONGEST_CHAIN):
            if (key := self.own(address)) is not None:
                return key
            catalog, oid, _sub = address
            alias = self._aliases.get(address) or self._aliases.get((catalog, oid, 0))
            if alias is None:
                return None
            address = (alias[0], alias[1], alias[2])
        return None


def _needs(rows: Iterable[TupleRow], addresses: _Addresses) -> dict[Key, set[Key]]:
    needs: dict[Key, set[Key]] = {}
    for row in rows:
        mine, other = addresses((row[0], row[1], row[2])), addresses((row[3], row[4], row[5]))
        if mine is None or other is None or mine == other:
            continue
        if mine[0] == "sequence" and other[0] == "column":
            continue  # it belongs to the column; the column's default is what needs the other
        needs.setdefault(mine, set()).add(other)
    return needs


def _item(row: TupleRow, needs: Mapping[Key, set[Key]], known: AbstractSet[Key]) -> Item:
    kind, names, _catalog, _oid, _sub, facts, texts = row
    key = (kind, *names)
    texts = {name: value for name, value in texts.items() if value is not None}
    query = kind in _QUERIES or "parsed" in texts
    if query:
        texts["definition"] = facts["definition"]
    if kind == "column" and "identity" in texts:
        options = Sequence.parsed(texts["sequence"]).unusual_options()
        facts["identity"] = texts["identity"] + (f" ({options})" if options else "")
    if kind == "index":
        # Of a partitioned table, and of that alone, it says ON ONLY. Executed, that would make an
        # index that stays invalid until every partition's is attached.
        facts["definition"] = facts["definition"].replace(" ON ONLY ", " ON ", 1)
    if kind == "sequence":
        sequence = Sequence.parsed(texts["sequence"])
        facts["parameters"] = f"{sequence.type} {sequence.unusual_options()}".strip()
    mine = set(needs.get(key, ()))
    if kind in PARTS:
        mine |= _possible_owners(key)
    return Item(
        key,
        {
            aspect: canonical(aspect, value, query=query)
            for aspect, value in facts.items()
            if value is not None
        },
        texts,
        frozenset(mine & known),
    )


def _possible_owners(key: Key) -> set[Key]:
    """A part needs what it is a part of; only one of these exists, the others mean nothing."""
    if key[0] == "default":
        return {("column", *key[1:]), ("view", key[1])}
    return {(kind, key[1]) for kind in ("table", "foreign_table", "view", "materialized_view")}


def _comments(rows: Iterable[TupleRow], addresses: _Addresses) -> Iterable[Item]:
    for catalog, oid, number, text, attribute in rows:
        target = addresses.own((catalog, oid, number))
        if target is None:
            target = addresses((catalog, oid, 0))
            if target is None or target[0] != "composite_type":
                continue
        key = target
        if attribute is not None and target[0] != "column":
            key = ("column", *target[1:], attribute)
        if key[0] == "extension":
            continue  # it is the extension's own
        yield Item(("comment", *key), {"comment": text}, {}, frozenset({target}))
