"""Objects as the statements that make them, and those that remove them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.catalog.sequence import Sequence
from bounty_ops.migrating.drift.clauses import column_clause, column_extras
from bounty_ops.migrating.drift.names import addressed, literal, public, quoted, word

if TYPE_CHECKING:
    from bounty_ops.migrating.catalog import Catalog, Item

FOREIGN_KEY: Final = "foreign key"
_STATES: Final = {
    "disabled": "DISABLE",
    "replica": "ENABLE REPLICA",
    "always": "ENABLE ALWAYS",
    "enabled": "ENABLE",
}


def create(item: Item, catalog: Catalog) -> tuple[str, ...]:
    """The statements that make an object; of a table with its columns and its own constraints."""
    return _WRITERS.get(item.kind, _nothing)(item, catalog)


def drop(item: Item) -> tuple[str, ...]:
    """The statements that remove an object."""
    if item.kind == "column":
        return (f"ALTER TABLE {public(item.key[1])} DROP COLUMN {quoted(item.key[2])}",)
    if item.kind == "default":
        return (
            f"ALTER TABLE {public(item.key[1])} ALTER COLUMN {quoted(item.key[2])} DROP DEFAULT",
        )
    if item.kind == "constraint":
        return (f"ALTER TABLE {public(item.key[1])} DROP CONSTRAINT {quoted(item.key[2])}",)
    if item.kind == "domain_constraint":
        return (f"ALTER DOMAIN {public(item.key[1])} DROP CONSTRAINT {quoted(item.key[2])}",)
    if item.kind == "comment":
        return (f"COMMENT ON {addressed(item.key[1:])} IS NULL",)
    return (f"DROP {addressed(item.key)}",)


def is_foreign_key(item: Item) -> bool:
    """Whether a constraint has to wait for another table."""
    return item.kind == "constraint" and item.texts.get("form") == FOREIGN_KEY


def _table(item: Item, catalog: Catalog) -> tuple[str, ...]:
    name, facts = item.key[1], item.facts
    columns = catalog.parts("column", name)
    lines = [column_clause(column, catalog) for column in columns]
    lines += [
        f"CONSTRAINT {quoted(part.key[2])} {part.facts['definition']}"
        for part in catalog.parts("constraint", name)
        if not is_foreign_key(part) and part.facts["validity"] == "valid"
    ]
    unlogged = "UNLOGGED " if facts["persistence"] == "unlogged" else ""
    body = ",\n    ".join(lines)
    statement = f"CREATE {unlogged}{word(item.kind)} {public(name)} (\n    {body}\n)"
    for aspect, clause in _TABLE_CLAUSES.items():
        if aspect in facts:
            statement += f" {clause.format(facts[aspect])}"
    extras = tuple(extra for column in columns for extra in column_extras(column))
    return (statement, *extras, *row_security(item))


_TABLE_CLAUSES: Final = {
    "inheritance": "INHERITS ({})",
    "partitioning": "PARTITION BY {}",
    "access_method": "USING {}",
    "storage_parameters": "WITH ({})",
    "server": "SERVER {}",
}


def row_security(item: Item) -> tuple[str, ...]:
    """The statements that bring a table's row security to what it should be."""
    wanted = item.facts["row_security"]
    table = f"ALTER TABLE {public(item.key[1])}"
    first = "ENABLE" if wanted.startswith("enabled") else "DISABLE"
    second = "FORCE" if wanted.endswith("forced") else "NO FORCE"
    if wanted == "disabled":
        return ()
    return (f"{table} {first} ROW LEVEL SECURITY", f"{table} {second} ROW LEVEL SECURITY")


def _column(item: Item, catalog: Catalog) -> tuple[str, ...]:
    clause = column_clause(item, catalog)
    return (f"ALTER TABLE {public(item.key[1])} ADD COLUMN {clause}", *column_extras(item))


def _default(item: Item, _: Catalog) -> tuple[str, ...]:
    column = f"ALTER TABLE {public(item.key[1])} ALTER COLUMN {quoted(item.key[2])}"
    return (f"{column} SET DEFAULT {item.facts['expression']}",)


def _constraint(item: Item, _: Catalog) -> tuple[str, ...]:
    table = f"ALTER TABLE {public(item.key[1])}"
    said = [f"{table} ADD CONSTRAINT {quoted(item.key[2])} {item.facts['definition']}"]
    if item.facts["validity"] == "not valid":
        said[0] += " NOT VALID"
    if "index_parameters" in item.facts:
        said.append(f"ALTER INDEX {public(item.key[2])} SET ({item.facts['index_parameters']})")
    if "clustered" in item.facts:
        said.append(f"{table} CLUSTER ON {quoted(item.key[2])}")
    return tuple(said)


def _domain_constraint(item: Item, _: Catalog) -> tuple[str, ...]:
    later = " NOT VALID" if item.facts["validity"] == "not valid" else ""
    start = f"ALTER DOMAIN {public(item.key[1])} ADD CONSTRAINT {quoted(item.key[2])}"
    return (f"{start} {item.facts['definition']}{later}",)


def _index(item: Item, _: Catalog) -> tuple[str, ...]:
    said = [item.facts["definition"]]
    if "clustered" in item.facts:
        said.append(f"ALTER TABLE {public(item.texts['table'])} CLUSTER ON {quoted(item.key[1])}")
    return (*said, *index_statistics(item))


def index_statistics(item: Item) -> tuple[str, ...]:
    """The statistics targets of an index's expressions."""
    targets = item.facts.get("statistics_target", "")
    return tuple(
        f"ALTER INDEX {public(item.key[1])} ALTER COLUMN {number} SET STATISTICS {target}"
        for target, number in re.findall(r"(\d+) of (\d+)", targets)
    )


def _view(item: Item, _: Catalog) -> tuple[str, ...]:
    facts = item.facts
    options = ""
    if "access_method" in facts:
        options += f" USING {facts['access_method']}"
    if "storage_parameters" in facts:
        options += f" WITH ({facts['storage_parameters']})"
    query = item.texts["definition"].strip().removesuffix(";")
    with_data = ""
    if item.kind == "materialized_view":
        with_data = " WITH DATA" if facts["populated"] == "yes" else " WITH NO DATA"
    return (f"CREATE {word(item.kind)} {public(item.key[1])}{options} AS\n{query}{with_data}",)


def _function(item: Item, _: Catalog) -> tuple[str, ...]:
    return (item.texts.get("definition", item.facts["definition"]).strip(),)


def _aggregate(item: Item, _: Catalog) -> tuple[str, ...]:
    arguments = item.key[2] or "*"
    return (f"CREATE AGGREGATE {public(item.key[1])}({arguments}) ({item.facts['definition']})",)


def _trigger(item: Item, _: Catalog) -> tuple[str, ...]:
    said = [item.texts.get("definition", item.facts["definition"]).removesuffix(";")]
    if item.facts["enabled"] != "enabled":
        said += switch(item)
    return tuple(said)


def switch(item: Item) -> tuple[str, ...]:
    """The statement that switches a trigger or a rule on or off."""
    state = _STATES[item.facts["enabled"]]
    table, name = public(item.key[1]), quoted(item.key[2])
    return (f"ALTER TABLE {table} {state} {word(item.kind)} {name}",)


def _policy(item: Item, _: Catalog) -> tuple[str, ...]:
    facts = item.facts
    statement = (
        f"CREATE POLICY {quoted(item.key[2])} ON {public(item.key[1])} AS {facts['as'].upper()} "
        f"FOR {facts['for'].upper()} TO {facts['to']}"
    )
    if "using" in facts:
        statement += f" USING ({facts['using']})"
    if "with check" in facts:
        statement += f" WITH CHECK ({facts['with check']})"
    return (statement,)


def _sequence(item: Item, _: Catalog) -> tuple[str, ...]:
    sequence = Sequence.parsed(item.texts["sequence"])
    unlogged = "UNLOGGED " if item.facts["persistence"] == "unlogged" else ""
    words = f"AS {sequence.type} {sequence.unusual_options()}".strip()
    return (f"CREATE {unlogged}SEQUENCE {public(item.key[1])} {words}",)


def _statistics(item: Item, _: Catalog) -> tuple[str, ...]:
    target = item.facts.get("statistics_target")
    more = () if target is None else (f"ALTER {addressed(item.key)} SET STATISTICS {target}",)
    return (item.facts["definition"], *more)


def _extension(item: Item, _: Catalog) -> tuple[str, ...]:
    schema = quoted(item.facts["schema"])
    return (f"CREATE EXTENSION IF NOT EXISTS {quoted(item.key[1])} WITH SCHEMA {schema}",)


def _comment(item: Item, _: Catalog) -> tuple[str, ...]:
    text = literal(item.facts["comment"])
    return (f"COMMENT ON {addressed(item.key[1:])} IS {text}",)


def _enum(item: Item, _: Catalog) -> tuple[str, ...]:
    labels = ", ".join(literal(label) for label in json.loads(item.facts["labels"]))
    return (f"CREATE TYPE {public(item.key[1])} AS ENUM ({labels})",)


def _domain(item: Item, _: Catalog) -> tuple[str, ...]:
    facts = item.facts
    statement = f"CREATE DOMAIN {public(item.key[1])} AS {facts['type']}"
    if "collation" in facts:
        statement += f" COLLATE {facts['collation']}"
    if "default" in facts:
        statement += f" DEFAULT {facts['default']}"
    if facts["not_null"] == "not null":
        statement += " NOT NULL"
    return (statement,)


def _composite(item: Item, _: Catalog) -> tuple[str, ...]:
    return (f"CREATE TYPE {public(item.key[1])} AS ({item.facts.get('attributes', '')})",)


def _range(item: Item, _: Catalog) -> tuple[str, ...]:
    return (f"CREATE TYPE {public(item.key[1])} AS RANGE ({item.facts['range']})",)


def _nothing(_item: Item, _catalog: Catalog) -> tuple[str, ...]:
    return ()


_WRITERS: Final = {
    "table": _table,
    "foreign_table": _table,
    "column": _column,
    "default": _default,
    "constraint": _constraint,
    "domain_constraint": _domain_constraint,
    "index": _index,
    "view": _view,
    "materialized_view": _view,
    "function": _function,
    "procedure": _function,
    "aggregate": _aggregate,
    "trigger": _trigger,
    "rule": _trigger,
    "policy": _policy,
    "sequence": _sequence,
    "statistics": _statistics,
    "extension": _extension,
    "comment": _comment,
    "enum": _enum,
    "domain": _domain,
    "composite_type": _composite,
    "range_type": _range,
}
