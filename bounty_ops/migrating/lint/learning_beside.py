"""What stands beside tables: policies, triggers, publications, sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.migrating.lint.columns import constraints_of
from bounty_ops.migrating.lint.schema import Publication, Table
from bounty_ops.migrating.lint.sqltypes import is_serial
from bounty_ops.migrating.lint.tree import (
    column_names,
    option,
    published,
    qualified,
    relation_name,
    strings,
)

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.schema import Catalogue
    from bounty_ops.migrating.lint.tree import Node


def create_policy(catalogue: Catalogue, node: Node) -> None:
    """CREATE POLICY."""
    name = relation_name(node.table)
    table = catalogue.tables.setdefault(name, Table(name, complete=False))
    table.policies.add(node.policy_name)
    table.watched |= column_names([node.qual, node.with_check])


def create_trigger(catalogue: Catalogue, node: Node) -> None:
    """CREATE TRIGGER."""
    name = relation_name(node.relation)
    table = catalogue.tables.setdefault(name, Table(name, complete=False))
    table.triggers.add(node.trigname)
    table.watched |= column_names(node.whenClause) | set(strings(node.columns))


def create_publication(catalogue: Catalogue, node: Node) -> None:
    """CREATE PUBLICATION."""
    publishes = option(node.options, "publish")
    words = publishes.arg.sval if publishes is not None and publishes.arg is not None else "update"
    catalogue.publications[node.pubname] = Publication(
        node.pubname,
        all_tables=bool(node.for_all_tables),
        changes="update" in words or "delete" in words,
    )
    for name in published(node.pubobjects):
        table = catalogue.tables.setdefault(name, Table(name, complete=False))
        table.publications.add(node.pubname)


def create_sequence(catalogue: Catalogue, node: Node) -> None:
    """CREATE SEQUENCE."""
    catalogue.sequences.add(relation_name(node.sequence))


def sequence_of_column(catalogue: Catalogue, table: str, definition: Node) -> None:
    """A serial or an identity column brings a sequence along."""
    schema, _, bare = table.rpartition(".")
    kinds = {each.contype.name for each in constraints_of(definition)}
    serial = definition.typeName is not None and is_serial(definition.typeName)
    if serial or "CONSTR_IDENTITY" in kinds:
        catalogue.sequences.add(qualified(schema, f"{bare}_{definition.colname}_seq"))
