"""What is known about a database: the part of its catalogue that decides about a migration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.migrating.lint.bounds import Bound
    from bounty_ops.migrating.lint.sqltypes import SqlType

ConstraintKind = Literal["check", "foreign", "unique", "primary", "exclude", "notnull"]


@dataclass
class Column:
    """A column; what is not known is None."""

    name: str
    type: SqlType | None
    not_null: bool = False
    default: str = ""
    """The expression of its default; empty: none."""

    identity: bool = False
    generated: Literal["", "stored", "virtual"] = ""
    expression_columns: frozenset[str] = frozenset()
    """What a generated column is computed from."""

    distinct: float | None = None
    """How many values the planner believes in, as `pg_stats.n_distinct`."""


@dataclass
class Constraint:
    """A constraint of a table."""

    name: str
    kind: ConstraintKind
    columns: tuple[str, ...] = ()
    valid: bool = True
    expression: str = ""
    references: str | None = None
    referenced_columns: tuple[str, ...] = ()


@dataclass
class Index:
    """An index; `columns` are the plain ones, without expressions."""

    name: str
    table: str
    columns: tuple[str, ...] = ()
    unique: bool = False
    valid: bool = True
    partial: bool = False
    expressions: bool = False
    depends_on: frozenset[str] = frozenset()
    constraint: str | None = None
    primary: bool = False


@dataclass
class Table:
    """A table, or what else has rows; `complete` when all of its columns are known."""

    name: str
    kind: Literal["table", "partitioned", "view", "materialized", "foreign"] = "table"
    complete: bool = True
    columns: dict[str, Column] = field(default_factory=dict)
    constraints: dict[str, Constraint] = field(default_factory=dict)
    parent: str | None = None
    partition_columns: tuple[str, ...] = ()
    bound: Bound | None = None
    partitions: set[str] = field(default_factory=set)
    default_partition: str | None = None
    row_security: bool = False
    policies: set[str] = field(default_factory=set)
    replica_identity: Literal["default", "index", "full", "nothing"] = "default"
    publications: set[str] = field(default_factory=set)
    unlogged: bool = False
    populated: bool = True
    rows: float | None = None
    """As the planner estimates; None: never analysed, or not seen on a server."""

    size: int | None = None
    """In bytes, of the rows."""

    granted: bool = False
    """Whether somebody but its owner has rights on it."""

    triggers: set[str] = field(default_factory=set)
    gone_columns: set[str] = field(default_factory=set)
    """Columns that it had: an earlier statement has dropped or renamed them."""

    watched: set[str] = field(default_factory=set)
    """Columns that a trigger's definition or a policy names: their types cannot change."""

    def primary_key(self) -> Constraint | None:
        """Its primary key, where one is known."""
        return next((each for each in self.constraints.values() if each.kind == "primary"), None)


@dataclass
class Domain:
    """A domain; with a constraint, no column of it can be added without a rewrite."""

    name: str
    base: SqlType | None
    constraints: set[str] = field(default_factory=set)
    not_null: bool = False
    default: str = ""


@dataclass
class Function:
    """A function or procedure; all that share a name together."""

    name: str
    volatile: bool = True
    immutable: bool = False
    language: str = ""
    body: str = ""
    arguments: str | None = None
    """The types of its arguments as they were declared; None: several functions, or not known."""

    argument_names: tuple[str, ...] = ()
    returns: SqlType | None = None


@dataclass
class Publication:
    """A publication, and whether it carries what needs a replica identity."""

    name: str
    all_tables: bool = False
    changes: bool = True


@dataclass
class Catalogue:
    """Everything that is known; `complete` when what is missing here does not exist."""

    complete: bool = False
    tables: dict[str, Table] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)
    enums: dict[str, list[str]] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    publications: dict[str, Publication] = field(default_factory=dict)
    view_columns: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """For each view, the columns of tables that it reads."""

    some_labels: set[tuple[str, str]] = field(default_factory=set)
    """Labels of enums of which no more is known."""

    type_names: set[str] = field(default_factory=set)
    """All that a server has, its own included; empty where no server was asked."""

    types: set[str] = field(default_factory=set)
    """Composite and other types of the database's own."""

    sequences: set[str] = field(default_factory=set)

    gone: set[str] = field(default_factory=set)
    """Relations that an earlier statement dropped or renamed, and none has made again."""

    function_names: set[str] = field(default_factory=set)
    """Bare names of all functions, the server's own included; empty where no server was asked."""

    operator_classes: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """The types of each operator class, by access method and name; empty as before."""

    default_classes: set[tuple[str, str]] = field(default_factory=set)
    """The access methods that need no operator class for a type; empty as before."""

    def table(self, name: str) -> Table | None:
        """A table by its name, if anything is known about it."""
        return self.tables.get(name)

    def column(self, table: str, column: str) -> Column | None:
        """A column, if it is known."""
        found = self.tables.get(table)
        return found.columns.get(column) if found else None

    def indexes_on(self, table: str) -> Iterator[Index]:
        """The indexes of a table."""
        return (each for each in self.indexes.values() if each.table == table)

    def views_on(self, table: str, column: str | None = None) -> list[str]:
        """The views that read a table, or one of its columns."""
        return sorted(
            view
            for view, reads in self.view_columns.items()
            if any(t == table and column in {None, c} for t, c in reads)
        )

    def references_to(self, table: str) -> list[tuple[str, Constraint]]:
        """The foreign keys that point at a table."""
        return [
            (other.name, each)
            for other in self.tables.values()
            for each in other.constraints.values()
            if each.kind == "foreign" and each.references == table and other.name != table
        ]

    def base_type(self, declared: SqlType | None) -> SqlType | None:
        """The type without domains around it."""
        for _ in range(32):
            domain = self.domains.get(declared.name) if declared and not declared.array else None
            if domain is None:
                return declared
            declared = domain.base
        return declared

    def fills(self, declared: SqlType | None) -> bool:
        """Whether a type brings a default: a domain may."""
        domain = self.domains.get(declared.name) if declared else None
        return domain is not None and bool(domain.default)

    def domain_checks(self, declared: SqlType | None) -> bool:
        """Whether a type is a domain that constrains its values, itself or below."""
        for _ in range(32):
            domain = self.domains.get(declared.name) if declared else None
            if domain is None:
                return False
            if domain.constraints or domain.not_null:
                return True
            declared = domain.base
        return False
