"""The catalogue of a live server, as far as it decides about a migration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import tuple_row

from bounty_ops.migrating.lint import live_queries as ask
from bounty_ops.migrating.lint.bounds import parse_bound
from bounty_ops.migrating.lint.proofs import columns_in
from bounty_ops.migrating.lint.schema import (
    Catalogue,
    Column,
    Constraint,
    Domain,
    Function,
    Index,
    Publication,
    Table,
)
from bounty_ops.migrating.lint.sqltypes import parse_type
from bounty_ops.migrating.lint.tree import qualified

if TYPE_CHECKING:
    import psycopg

_KINDS: Final = {"r": "table", "p": "partitioned", "v": "view", "m": "materialized", "f": "foreign"}
_CONSTRAINTS: Final = {
    "c": "check", "f": "foreign", "u": "unique", "p": "primary", "x": "exclude", "n": "notnull",
}  # fmt: skip
_IDENTITIES: Final = {"d": "default", "i": "index", "f": "full", "n": "nothing"}
_GENERATED: Final = {"s": "stored", "v": "virtual", "": ""}


def read_catalogue(connection: psycopg.Connection[Any]) -> Catalogue:
    """Everything that a server knows and that decides about a migration; only reads.

    Raises psycopg's errors, which `bounty_ops.postgres.connect` translates.
    """
    reader = _Reader(connection)
    reader.relations()
    reader.columns()
    reader.constraints()
    reader.indexes()
    reader.around_tables()
    reader.types()
    reader.operators()
    reader.functions()
    reader.publications()
    return reader.found


class _Reader:
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._tables: dict[int, Table] = {}
        self.found = Catalogue(complete=True)

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(query.encode()).fetchall()

    def relations(self) -> None:
        rows = self._ask(ask.RELATIONS)
        for row in rows:
            table = Table(
                qualified(row[1], row[2]),
                kind=_KINDS[row[3]],  # type: ignore[arg-type] # the query asks for these kinds
                unlogged=row[4] == "u",
                row_security=row[5],
                replica_identity=_IDENTITIES[row[6]],  # type: ignore[arg-type] # all four are there
                populated=row[7],
                rows=None if row[8] < 0 else row[8],
                granted=row[9],
                size=row[10],
                partition_columns=tuple(row[13] or ()),
                bound=parse_bound(row[14]),
            )
            self._tables[row[0]] = table
            self.found.tables[table.name] = table
        for row in rows:
            self._partition(self._tables[row[0]], parent=row[11], default=row[12])

    def _partition(self, table: Table, *, parent: int | None, default: int | None) -> None:
        above = self._tables.get(parent or 0)
        if above is not None:
            table.parent = above.name
            above.partitions.add(table.name)
        below = self._tables.get(default or 0)
        if below is not None:
            table.default_partition = below.name

    def columns(self) -> None:
        for oid, name, declared, not_null, default, identity, generated, distinct in self._ask(
            ask.COLUMNS
        ):
            self._tables[oid].columns[name] = Column(
                name,
                parse_type(declared),
                not_null=not_null,
                default="" if generated else default or "",
                identity=bool(identity),
                generated=_GENERATED[generated],  # type: ignore[arg-type] # the catalogue's values
                expression_columns=columns_in(default) if generated else frozenset(),
                distinct=distinct,
            )

    def constraints(self) -> None:
        for oid, name, kind, valid, columns, target, keys, text in self._ask(ask.CONSTRAINTS):
            table = self._tables.get(oid)
            if table is None:
                continue
            referred = self._tables.get(target or 0)
            table.constraints[name] = Constraint(
                name,
                _CONSTRAINTS[kind],  # type: ignore[arg-type] # the query asks for these kinds
                tuple(columns or ()),
                valid=valid,
                expression=text or "",
                references=referred.name if referred else None,
                referenced_columns=tuple(keys or ()),
            )
            if kind == "n" and not valid:  # says NOT NULL to new rows, proves nothing about old
                table.columns[columns[0]].not_null = False

    def indexes(self) -> None:
        for row in self._ask(ask.INDEXES):
            table = self._tables.get(row[2])
            if table is None:
                continue
            name = qualified(row[0], row[1])
            self.found.indexes[name] = Index(
                name,
                table.name,
                tuple(row[3] or ()),
                depends_on=frozenset(row[4] or ()),
                unique=row[5],
                valid=row[6],
                partial=row[7],
                expressions=row[8],
                primary=row[9],
                constraint=row[10],
            )

    def around_tables(self) -> None:
        for view, table, column in self._ask(ask.VIEW_COLUMNS):
            if view in self._tables and table in self._tables:
                reads = self.found.view_columns.setdefault(self._tables[view].name, set())
                reads.add((self._tables[table].name, column))
        for oid, column in self._ask(ask.WATCHED):
            if oid in self._tables:
                self._tables[oid].watched.add(column)
        for oid, policy in self._ask(ask.POLICIES):
            if oid in self._tables:
                self._tables[oid].policies.add(policy)
        for oid, trigger in self._ask(ask.TRIGGERS):
            if oid in self._tables:
                self._tables[oid].triggers.add(trigger)
        self.found.sequences = {qualified(*row) for row in self._ask(ask.SEQUENCES)}

    def types(self) -> None:
        for schema, name, base, not_null, default, checks in self._ask(ask.DOMAINS):
            full = qualified(schema, name)
            self.found.domains[full] = Domain(
                full, parse_type(base), set(checks or ()), not_null=not_null, default=default or ""
            )
        for schema, name, labels in self._ask(ask.ENUMS):
            self.found.enums[qualified(schema, name)] = list(labels)
        self.found.type_names = {_bare(*row) for row in self._ask(ask.TYPE_NAMES)}
        self.found.types = {qualified(*row) for row in self._ask(ask.TYPES)}

    def operators(self) -> None:
        for method, name, default, schema, declared in self._ask(ask.OPERATOR_CLASSES):
            taken = _bare(schema, declared)
            self.found.operator_classes.setdefault((method, name), set()).add(taken)
            if default:
                self.found.default_classes.add((method, taken))

    def functions(self) -> None:
        self.found.function_names = {name for (name,) in self._ask(ask.FUNCTION_NAMES)}
        for row in self._ask(ask.FUNCTIONS):
            full = qualified(row[0], row[1])
            known = self.found.functions.get(full)
            self.found.functions[full] = Function(
                full,
                volatile=row[2] == "v" or (known is not None and known.volatile),
                immutable=row[2] == "i" and (known is None or known.immutable),
                language=row[3],
                body=row[4],
                arguments=row[7] if known is None else None,
                argument_names=tuple(row[8] or ()) if known is None else (),
                returns=None if row[6] else parse_type(row[5]),
            )

    def publications(self) -> None:
        for name, everything, changes in self._ask(ask.PUBLICATIONS):
            self.found.publications[name] = Publication(
                name, all_tables=everything, changes=changes
            )
        for publication, schema, name in self._ask(ask.PUBLISHED):
            table = self.found.tables.get(qualified(schema, name))
            if table is not None:
                table.publications.add(publication)


def _bare(schema: str, name: str) -> str:
    return name if schema == "pg_catalog" else qualified(schema, name)
