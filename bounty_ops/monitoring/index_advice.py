"""Which indexes are missing, superfluous or broken: decided from facts, without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.findings import Finding, Severity, duration, quoted, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from bounty_ops.monitoring.collectors.indexes import ForeignKey, Indexes, IndexFacts
    from bounty_ops.monitoring.collectors.replication import Replication
    from bounty_ops.monitoring.collectors.tables import Tables

#: Below this size a table is read faster than an index is opened, so a missing index can wait.
SMALL_TABLE_BYTES: Final = 1024 * 1024
#: Statistics that are younger say little about what is never used: monthly jobs exist.
TRUSTED_WINDOW_SECONDS: Final = 30 * 86_400
BLOAT_BYTES: Final = 100 * 1024 * 1024
BLOAT_SHARE: Final = 0.6
_LISTED: Final = 12


def index_findings(
    indexes: Indexes,
    tables: Tables | None,
    replication: Replication | None = None,
    at: datetime | None = None,
) -> Iterator[Finding]:
    """Everything that the facts about indexes tell."""
    sizes = {} if tables is None else {t.subject: t.table_bytes for t in tables.tables}
    for index in indexes.indexes:
        if not index.valid:
            yield _invalid(index, hidden=bool(indexes.hidden_builds))
        elif _bloated(index):
            yield _bloat(index)
    for key in foreign_keys_without_index(indexes):
        yield _missing(key, sizes.get(f"{key.schema_name}.{key.table}"))
    for index, keeper in redundant_indexes(indexes.indexes):
        yield _redundant(index, keeper)
    yield from _unused(indexes, replication, at)


def foreign_keys_without_index(indexes: Indexes) -> list[ForeignKey]:
    """Foreign keys whose columns do not lead any complete index of their table.

    Deleting or renaming one row of the referenced table then reads the whole referencing one.
    """
    by_table: dict[tuple[str, str], list[IndexFacts]] = {}
    for index in indexes.indexes:
        by_table.setdefault((index.schema_name, index.table), []).append(index)
    return [
        key
        for key in indexes.foreign_keys
        if not any(_serves(i, key) for i in by_table.get((key.schema_name, key.table), []))
    ]


def _serves(index: IndexFacts, key: ForeignKey) -> bool:
    leading = index.columns[: len(key.columns)]
    return (
        index.valid
        and not index.partial
        and index.method in {"btree", "hash"}
        and set(leading) == set(key.columns)
    )


def redundant_indexes(indexes: Iterable[IndexFacts]) -> list[tuple[IndexFacts, IndexFacts]]:
    """Indexes that another one replaces completely, each with the one to keep.

    Of indexes that replace each other exactly one is kept.
    """
    by_table: dict[tuple[str, str], list[IndexFacts]] = {}
    for index in indexes:
        by_table.setdefault((index.schema_name, index.table), []).append(index)
    found = []
    for group in by_table.values():
        for index in group:
            keepers = [other for other in group if _replaces(other, index)]
            if keepers and _droppable(index):
                found.append((index, max(keepers, key=_worth)))
    return sorted(found, key=lambda pair: pair[0].subject)


def _droppable(index: IndexFacts) -> bool:
    """Whether nothing but queries depends on it."""
    needed = index.primary or index.constraint or index.replica_identity or index.referenced
    return index.valid and not needed and not index.partitioned


def _worth(index: IndexFacts) -> tuple[int, bool, bool, str]:
    """Which of two indexes is kept: a strict order, so that never both are dropped."""
    kept_anyway = not _droppable(index)
    return len(index.keys), index.unique, kept_anyway, index.name


def _replaces(keeper: IndexFacts, index: IndexFacts) -> bool:
    """Whether every query and rule that `index` serves is served by `keeper` as well."""
    if keeper is index or not keeper.valid or _worth(keeper) <= _worth(index):
        return False
    if (keeper.method, keeper.predicate) != (index.method, index.predicate):
        return False
    if not set(index.included) <= {*keeper.columns, *keeper.included}:
        return False
    if index.unique:
        same_rule = keeper.unique and keeper.nulls_not_distinct == index.nulls_not_distinct
        return same_rule and keeper.keys == index.keys
    if index.method != "btree":
        return keeper.keys == index.keys
    return keeper.keys[: len(index.keys)] == index.keys


def unused_indexes(indexes: Iterable[IndexFacts]) -> list[IndexFacts]:
    """Indexes that no query used and that enforce nothing."""
    return [i for i in indexes if i.scans == 0 and not i.unique and _droppable(i)]


def _invalid(index: IndexFacts, *, hidden: bool) -> Finding:
    name = quoted(index.schema_name, index.name)
    severity, evidence = Severity.WARNING, "a statement that built it failed, and nobody builds it"
    if index.building is not None:
        severity, evidence = Severity.INFO, f"it is being built: {index.building}"
    elif hidden:
        severity = Severity.UNKNOWN
        evidence = "it may be being built: somebody builds an index which this role may not know"
    return Finding(
        kind="invalid_index",
        severity=severity,
        subject=index.subject,
        title=f"index {index.subject} is invalid: it costs writes and serves no query",
        evidence=evidence,
        remedy=f"unless it is being built: REINDEX INDEX CONCURRENTLY {name};",
        weight=index.bytes,
    )


def _bloated(index: IndexFacts) -> bool:
    bloat = index.bloat_bytes or 0
    return bloat >= BLOAT_BYTES and bloat >= BLOAT_SHARE * index.bytes


def _bloat(index: IndexFacts) -> Finding:
    bloat = index.bloat_bytes or 0
    return Finding(
        kind="bloated_index",
        severity=Severity.INFO,
        subject=index.subject,
        title=f"about {size(bloat)} of index {index.subject} ({size(index.bytes)}) are empty",
        evidence=f"{index.rows or 0:,} entries of {index.entry_bytes:.0f} bytes, by what the "
        "planner knows",
        remedy=f"REINDEX INDEX CONCURRENTLY {quoted(index.schema_name, index.name)};",
        weight=bloat,
    )


def _missing(key: ForeignKey, table_bytes: int | None) -> Finding:
    table = quoted(key.schema_name, key.table)
    columns = ", ".join(quoted(column) for column in key.columns)
    small = table_bytes is not None and table_bytes < SMALL_TABLE_BYTES
    known = "" if table_bytes is None else f" ({size(table_bytes)})"
    return Finding(
        kind="foreign_key_without_index",
        severity=Severity.INFO if small else Severity.WARNING,
        subject=f"{key.schema_name}.{key.table}.{key.name}",
        title=f"foreign key {key.name} of {key.schema_name}.{key.table} has no index",
        evidence=f"deleting a row of {key.references} reads all of "
        f"{key.schema_name}.{key.table}{known} to find rows by {', '.join(key.columns)}",
        remedy=f"CREATE INDEX CONCURRENTLY ON {table} ({columns});",
        weight=table_bytes or 0,
    )


def _redundant(index: IndexFacts, keeper: IndexFacts) -> Finding:
    return Finding(
        kind="redundant_index",
        severity=Severity.INFO,
        subject=index.subject,
        title=f"index {index.subject} is redundant: {keeper.name} does all that it does",
        evidence=f"({_columns(index)}) and ({_columns(keeper)}) on "
        f"{index.schema_name}.{index.table}; it takes {size(index.bytes)} and slows writes",
        remedy=f"DROP INDEX CONCURRENTLY {quoted(index.schema_name, index.name)};",
        weight=index.bytes,
    )


def _columns(index: IndexFacts) -> str:
    return ", ".join(column or "expression" for column in index.columns)


def _unused(
    indexes: Indexes, replication: Replication | None, at: datetime | None
) -> Iterator[Finding]:
    """Those that nobody uses, and those of which that cannot be said."""
    idle = unused_indexes(indexes.indexes)
    doubt = _replica_doubt(replication)
    counted = indexes.statistics_seconds
    trusted = counted is not None and counted >= TRUSTED_WINDOW_SECONDS
    unused = [index for index in idle if doubt is None and (trusted or _watched(index, at))]
    if unused:
        since = (
            f"within {duration(counted)}" if trusted and counted else "in collections over 30 days"
        )
        yield Finding(
            kind="unused_indexes",
            severity=Severity.INFO,
            subject=f"{len(unused)} indexes",
            title=f"{len(unused)} indexes ({_total(unused)}) were not used {since}",
            evidence=f"{_listed(unused)}; nor since they were made, if that is later",
            remedy=" ".join(
                f"DROP INDEX CONCURRENTLY {quoted(index.schema_name, index.name)};"
                for index in unused[:_LISTED]
            ),
        )
    unsaid = [index for index in idle if index not in unused]
    if unsaid:
        over = "since nobody knows when" if counted is None else f"within {duration(counted)}"
        yield Finding(
            kind="index_use_unknown",
            severity=Severity.UNKNOWN,
            subject=f"{len(unsaid)} indexes",
            title=f"whether {len(unsaid)} indexes ({_total(unsaid)}) are used is not known: no "
            f"scan {over}",
            evidence=f"{_listed(unsaid)}; {doubt or 'too short or unknown a time to tell'}",
            remedy="Look again after 30 days of collections, and at the statistics of every "
            "replica",
        )


def _replica_doubt(replication: Replication | None) -> str | None:
    """Why queries may run where this server does not count them."""
    if replication is None:
        return "whether there are replicas was not looked at"
    if replication.in_recovery:
        return "this is a replica: the primary server counts its own scans"
    if replication.standbys or any(slot.kind == "physical" for slot in replication.slots):
        return "there are replicas, which count their own scans"
    return None


def _watched(index: IndexFacts, at: datetime | None) -> bool:
    """Whether collections have seen it without a scan for long enough."""
    since = index.unscanned_since
    if at is None or since is None:
        return False
    return (at - since).total_seconds() >= TRUSTED_WINDOW_SECONDS


def _listed(indexes: Sequence[IndexFacts]) -> str:
    names = ", ".join(index.subject for index in indexes[:_LISTED])
    return names + (f" and {len(indexes) - _LISTED} more" if len(indexes) > _LISTED else "")


def _total(indexes: Sequence[IndexFacts]) -> str:
    return size(sum(index.bytes for index in indexes))
