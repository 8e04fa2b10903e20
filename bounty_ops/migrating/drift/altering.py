"""Turning an object that is there into what it should be, where PostgreSQL can do that in place."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.catalog.sequence import Sequence
from bounty_ops.migrating.drift.names import addressed, literal, public, quoted, word
from bounty_ops.migrating.drift.writing import index_statistics, row_security, switch

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.catalog import Item

#: Facts that can be altered; another one that differs means to make the object anew.
IN_PLACE: Final[dict[str, frozenset[str]]] = {
    "table": frozenset(
        {
            "persistence",
            "row_security",
            "replica_identity",
            "storage_parameters",
            "inheritance",
            "of_type",
        }
    ),
    "foreign_table": frozenset({"row_security"}),
    "default": frozenset({"expression"}),
    "constraint": frozenset({"validity", "index_parameters", "clustered"}),
    "domain_constraint": frozenset({"validity"}),
    "index": frozenset({"clustered", "statistics_target"}),
    "view": frozenset({"storage_parameters"}),
    "materialized_view": frozenset({"storage_parameters", "populated"}),
    "function": frozenset({"definition"}),
    "procedure": frozenset({"definition"}),
    "trigger": frozenset({"enabled"}),
    "rule": frozenset({"enabled"}),
    "sequence": frozenset({"parameters", "persistence", "owned_by"}),
    "enum": frozenset({"labels"}),
    "domain": frozenset({"default", "not_null"}),
    "statistics": frozenset({"statistics_target"}),
    "extension": frozenset({"schema"}),
    "comment": frozenset({"comment"}),
}


def in_place(expected: Item, found: Item, aspects: tuple[str, ...]) -> bool:
    """Whether ALTER can do it (columns: see `bounty_ops.migrating.drift.columns`)."""
    if not set(aspects) <= IN_PLACE.get(expected.kind, frozenset()):
        return False
    if "validity" in aspects and expected.facts["validity"] != "valid":
        return False  # there is no way back from valid
    if expected.kind == "index" and "validity" in aspects:
        return False
    if expected.kind in ("function", "procedure"):
        return all(
            expected.texts.get(text) == found.texts.get(text) for text in ("returns", "arguments")
        )
    if expected.kind == "enum":
        return added_labels(expected, found) is not None
    return True


def alter(expected: Item, found: Item, aspect: str) -> tuple[str, ...]:
    """The statements that change one fact of an object other than a column."""
    return _WRITERS[aspect](expected, found)


def _persistence(expected: Item, _: Item) -> tuple[str, ...]:
    return (f"ALTER {addressed(expected.key)} SET {expected.facts['persistence'].upper()}",)


def _row_security(expected: Item, _: Item) -> tuple[str, ...]:
    if expected.facts["row_security"] != "disabled":
        return row_security(expected)
    table = f"ALTER TABLE {public(expected.key[1])}"
    return (f"{table} DISABLE ROW LEVEL SECURITY", f"{table} NO FORCE ROW LEVEL SECURITY")


def _replica_identity(expected: Item, _: Item) -> tuple[str, ...]:
    wanted = expected.facts["replica_identity"]
    if wanted.startswith("index "):
        wanted = f"USING INDEX {quoted(wanted.removeprefix('index '))}"
    else:
        wanted = wanted.upper()
    return (f"ALTER TABLE {public(expected.key[1])} REPLICA IDENTITY {wanted}",)


def options(start: str, wanted: str | None, there: str | None) -> tuple[str, ...]:
    """SET and RESET of storage parameters."""
    names = [option.partition("=")[0] for option in (there or "").split(", ") if option]
    kept = {option.partition("=")[0] for option in (wanted or "").split(", ")}
    gone = [name for name in names if name not in kept]
    said = [f"{start} RESET ({', '.join(gone)})"] if gone else []
    return (*said, f"{start} SET ({wanted})") if wanted else tuple(said)


def _storage_parameters(expected: Item, found: Item) -> tuple[str, ...]:
    start = f"ALTER {addressed(expected.key)}"
    aspect = "storage_parameters"
    return options(start, expected.facts.get(aspect), found.facts.get(aspect))


def _index_parameters(expected: Item, found: Item) -> tuple[str, ...]:
    start = f"ALTER INDEX {public(expected.key[2])}"
    aspect = "index_parameters"
    return options(start, expected.facts.get(aspect), found.facts.get(aspect))


def _inheritance(expected: Item, found: Item) -> tuple[str, ...]:
    table = f"ALTER TABLE {public(expected.key[1])}"
    wanted = _list(expected.facts.get("inheritance"))
    there = _list(found.facts.get("inheritance"))
    return (
        *(f"{table} NO INHERIT {parent}" for parent in there if parent not in wanted),
        *(f"{table} INHERIT {parent}" for parent in wanted if parent not in there),
    )


def _list(text: str | None) -> list[str]:
    return text.split(", ") if text else []


def _of_type(expected: Item, _: Item) -> tuple[str, ...]:
    wanted = expected.facts.get("of_type")
    table = f"ALTER TABLE {public(expected.key[1])}"
    return (f"{table} NOT OF" if wanted is None else f"{table} OF {wanted}",)


def _expression(expected: Item, _: Item) -> tuple[str, ...]:
    column = f"ALTER TABLE {public(expected.key[1])} ALTER COLUMN {quoted(expected.key[2])}"
    return (f"{column} SET DEFAULT {expected.facts['expression']}",)


def _validity(expected: Item, _: Item) -> tuple[str, ...]:
    owner = "DOMAIN" if expected.kind == "domain_constraint" else "TABLE"
    name = quoted(expected.key[2])
    return (f"ALTER {owner} {public(expected.key[1])} VALIDATE CONSTRAINT {name}",)


def _clustered(expected: Item, _: Item) -> tuple[str, ...]:
    table = f"ALTER TABLE {public(expected.table or expected.key[1])}"
    if "clustered" not in expected.facts:
        return (f"{table} SET WITHOUT CLUSTER",)
    return (f"{table} CLUSTER ON {quoted(expected.key[-1])}",)


def _statistics_target(expected: Item, found: Item) -> tuple[str, ...]:
    target = expected.facts.get("statistics_target", "-1")
    if expected.kind == "statistics":
        return (f"ALTER {addressed(expected.key)} SET STATISTICS {target}",)
    back = tuple(
        f"ALTER INDEX {public(expected.key[1])} ALTER COLUMN {number} SET STATISTICS -1"
        for number in re.findall(r"of (\d+)", found.facts.get("statistics_target", ""))
    )
    return (*back, *index_statistics(expected))


def _populated(expected: Item, _: Item) -> tuple[str, ...]:
    without = "" if expected.facts["populated"] == "yes" else " WITH NO DATA"
    return (f"REFRESH MATERIALIZED VIEW {public(expected.key[1])}{without}",)


def _definition(expected: Item, _: Item) -> tuple[str, ...]:
    return (expected.texts.get("definition", expected.facts["definition"]).strip(),)


def _enabled(expected: Item, _: Item) -> tuple[str, ...]:
    return switch(expected)


def _parameters(expected: Item, _: Item) -> tuple[str, ...]:
    sequence = Sequence.parsed(expected.texts["sequence"])
    name = public(expected.key[1])
    options_ = " ".join(sequence.all_options())
    return (f"ALTER SEQUENCE {name} AS {sequence.type} {options_}",)


def owned_by(expected: Item) -> str:
    """The statement that gives a sequence to a column, or takes it away."""
    table, column = expected.texts.get("owner_table"), expected.texts.get("owner_column")
    owner = "NONE" if table is None else f"{public(table)}.{quoted(column or '')}"
    return f"ALTER SEQUENCE {public(expected.key[1])} OWNED BY {owner}"


def _owned_by(expected: Item, _: Item) -> tuple[str, ...]:
    return (owned_by(expected),)


def added_labels(expected: Item, found: Item) -> list[str] | None:
    """What to add to an enum, as ADD VALUE takes it; None when adding is not enough."""
    wanted = json.loads(expected.facts["labels"])
    there = json.loads(found.facts["labels"])
    if [label for label in wanted if label in there] != there:
        return None
    said, known = [], set(there)
    for place, label in enumerate(wanted):
        if label in known:
            continue
        following = next((other for other in wanted[place + 1 :] if other in known), None)
        where = "" if following is None else f" BEFORE {literal(following)}"
        said.append(f"{literal(label)}{where}")
        known.add(label)
    return said


def _labels(expected: Item, found: Item) -> tuple[str, ...]:
    name = public(expected.key[1])
    return tuple(
        f"ALTER TYPE {name} ADD VALUE {label}" for label in added_labels(expected, found) or ()
    )


def _domain_default(expected: Item, _: Item) -> tuple[str, ...]:
    name, default = public(expected.key[1]), expected.facts.get("default")
    change = "DROP DEFAULT" if default is None else f"SET DEFAULT {default}"
    return (f"ALTER DOMAIN {name} {change}",)


def _domain_not_null(expected: Item, _: Item) -> tuple[str, ...]:
    change = "SET" if expected.facts["not_null"] == "not null" else "DROP"
    return (f"ALTER DOMAIN {public(expected.key[1])} {change} NOT NULL",)


def _schema(expected: Item, _: Item) -> tuple[str, ...]:
    name, schema = quoted(expected.key[1]), quoted(expected.facts["schema"])
    return (f"ALTER EXTENSION {name} SET SCHEMA {schema}",)


def _comment(expected: Item, _: Item) -> tuple[str, ...]:
    text = literal(expected.facts["comment"])
    return (f"COMMENT ON {addressed(expected.key[1:])} IS {text}",)


_WRITERS: Final[dict[str, Callable[[Item, Item], tuple[str, ...]]]] = {
    "persistence": _persistence,
    "row_security": _row_security,
    "replica_identity": _replica_identity,
    "storage_parameters": _storage_parameters,
    "index_parameters": _index_parameters,
    "inheritance": _inheritance,
    "of_type": _of_type,
    "expression": _expression,
    "validity": _validity,
    "clustered": _clustered,
    "statistics_target": _statistics_target,
    "populated": _populated,
    "definition": _definition,
    "enabled": _enabled,
    "parameters": _parameters,
    "owned_by": _owned_by,
    "labels": _labels,
    "default": _domain_default,
    "not_null": _domain_not_null,
    "schema": _schema,
    "comment": _comment,
}


def rename(found: Item, expected: Item) -> str:
    """The statement that gives a constraint or an index its name."""
    if found.kind == "constraint":
        table = public(found.key[1])
        return (
            f"ALTER TABLE {table} RENAME CONSTRAINT {quoted(found.key[2])} "
            f"TO {quoted(expected.key[2])}"
        )
    return f"ALTER {word('index')} {public(found.key[1])} RENAME TO {quoted(expected.key[1])}"
