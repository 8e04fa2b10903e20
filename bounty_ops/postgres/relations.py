"""Which tables a dump of the whole database holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow


@dataclass(frozen=True)
class Column:
    """A column; `whole_as_text` if a cast to text writes its values without any loss."""

    name: str
    whole_as_text: bool
    kind: str
    """The name of one of PostgreSQL's own base types, ``enum``, or nothing for all others."""


@dataclass(frozen=True)
class Relation:
    """A table that pg_dump dumps; `condition` limits the rows of an extension's own table."""

    oid: int
    schema: str
    name: str
    is_partitioned: bool
    columns: tuple[Column, ...]
    """Sorted by name: the physical order may change in a restore (inheritance, dropped ones)."""
    hash_partitioned: bool
    parent_oid: int | None
    condition: str | None

    @property
    def label(self) -> str:
        """Schema and name, for people."""
        return f"{self.schema}.{self.name}"

    @property
    def identity(self) -> tuple[int, str, str]:
        """What must not change while locks are being taken."""
        return (self.oid, self.schema, self.name)

    def identifier(self) -> sql.Identifier:
        """Schema and name, for a statement."""
        return sql.Identifier(self.schema, self.name)


def list_relations(connection: psycopg.Connection[TupleRow]) -> tuple[Relation, ...]:
    """Every table that pg_dump would dump: ordinary, partitioned and partitions, sorted by name."""
    rows = connection.execute(query("relations.sql")).fetchall()
    return tuple(
        Relation(
            oid=oid,
            schema=schema,
            name=name,
            is_partitioned=partitioned,
            columns=tuple(map(Column, names, whole, kinds)),
            hash_partitioned=bool(by_hash),
            parent_oid=parent,
            condition=condition or None,
        )
        for oid, schema, name, partitioned, names, whole, kinds, by_hash, parent, condition in rows
    )


@lru_cache(maxsize=64)
def query(path: str) -> sql.SQL:
    """A statement from a file below ``queries/``."""
    text = resources.files("bounty_ops.postgres").joinpath("queries", path).read_text("utf-8")
    return sql.SQL(text)
