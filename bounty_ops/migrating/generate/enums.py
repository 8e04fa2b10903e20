"""Enum types: a label more is a moment's work, a label less is a new type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.generate.conversion import convert
from bounty_ops.migrating.generate.second_column import Conversion, why_not_online
from bounty_ops.migrating.generate.statements import (
    Node,
    derived,
    literal,
    quoted,
    strings,
    written,
)
from bounty_ops.migrating.generate.step import Rewritten, Step
from bounty_ops.migrating.generate.types import with_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bounty_ops.migrating.generate.known import Known

_OWN: Final = "nobody reads or writes a type"


def add_label(sql: str, node: Node) -> Rewritten:
    """ADD VALUE, and RENAME VALUE."""
    name = strings(node.typeName)[-1]
    touches = frozenset({name})
    if node.oldVal:
        start = f"ALTER TYPE public.{quoted(name)} RENAME VALUE"
        renamed = Step(
            sql,
            "programs that use the old label fail from then on",
            risk="clients",
            down=(f"{start} {literal(node.newVal)} TO {literal(node.oldVal)}",),
            touches=touches,
        )
        return Rewritten((renamed,))
    node.skipIfNewValExists = True
    step = Step(
        sql=written(node),
        why="a label more; usable once its transaction is over",
        kind="enum",
        down=None,
        touches=touches,
    )
    return Rewritten((step,))


def unless_used(
    labels: Sequence[tuple[str, str, Sequence[tuple[str, str]]]], statements: Sequence[str]
) -> str:
    """What takes labels back where no row has one, and leaves them where a row does.

    ``labels``: each with the name of its type and the columns of that type.
    """
    conditions = [
        f"EXISTS (SELECT FROM public.{quoted(table)} WHERE {_has(column, label)})"
        for label, _, columns in labels
        for table, column in columns
    ]
    body = "".join(f"  {statement};\n" for statement in statements)
    if not conditions:
        return f"DO $down$ BEGIN\n{body}END $down$"
    used = "\n    OR ".join(conditions)
    named = ", ".join(f"{name}.{label}" for label, name, _ in labels)
    notice = literal(f"rows have a label that should go; all stay: {named}")
    return (
        f"DO $down$ BEGIN\nIF {used} THEN\n  RAISE NOTICE USING MESSAGE = {notice};\n"
        f"ELSE\n{body}END IF;\nEND $down$"
    )


def _has(column: str, label: str) -> str:
    # As text, because a comparison with a label would bind the statement to the type that is
    # replaced; and whether or not the column is an array.
    text = f"CAST({quoted(column)} AS text)"
    return f"{literal(label)} = ANY (CAST('{{' || btrim({text}, '{{}}') || '}}' AS text[]))"


def rebuild(
    name: str,
    labels: Sequence[str],
    known: Known,
    defaults: Mapping[tuple[str, str], str | None],
) -> list[Rewritten] | str:
    """A type with other labels in place of the one that is there; text: why it cannot be online.

    ``defaults`` are those that the columns of the type shall have.
    """
    columns = known.columns_of_type(name)
    for table, column in columns:
        reason = why_not_online(table, column, known)
        if reason is not None:
            return f"{table}.{column}: {reason}"
    fresh, kept = derived(name, "new"), derived(name, "old")
    tables = frozenset(table for table, _ in columns)
    created = Step(
        f"CREATE TYPE public.{quoted(fresh)} AS ENUM ({', '.join(map(literal, labels))})",
        "the labels as they shall be",
        down=(f"DROP TYPE public.{quoted(fresh)}",),
        touches=tables | {name, fresh},
    )
    changes = [Rewritten((created,))]
    changes += [_column(name, fresh, each, known, defaults.get(each)) for each in columns]
    changes.append(_swapped(name, fresh, kept, tables, known.enum_labels(name) or ()))
    return changes


def _column(
    name: str, fresh: str, place: tuple[str, str], known: Known, default: str | None
) -> Rewritten:
    table, column = place
    before = known.column_type(table, column) or ""
    array = "[]" if before.endswith("[]") else ""
    wish = Conversion(
        table=table,
        column=column,
        type=f"public.{quoted(fresh)}{array}",
        using=f"CAST(CAST({quoted(column)} AS text{array}) AS public.{quoted(fresh)}{array})",
        before=f"public.{quoted(name)}{array}",
        default=None if default is None else with_type(default, name, fresh),
        old_default=known.default(table, column),
        not_null=known.is_not_null(table, column),
        renamed_type=(name, fresh),
        back=f"CAST(CAST({quoted(column)} AS text{array}) AS public.{quoted(name)}{array})",
    )
    return convert(wish, known)


def _swapped(
    name: str, fresh: str, kept: str, tables: frozenset[str], labels: Sequence[str]
) -> Rewritten:
    old, new, aside = (f"public.{quoted(each)}" for each in (name, fresh, kept))
    touches = tables | {name, fresh}
    again = f"CREATE TYPE {aside} AS ENUM ({', '.join(map(literal, labels))})"
    pairs = [
        (
            f"ALTER TYPE {old} RENAME TO {quoted(kept)}",
            f"ALTER TYPE {aside} RENAME TO {quoted(name)}",
        ),
        (
            f"ALTER TYPE {new} RENAME TO {quoted(name)}",
            f"ALTER TYPE {old} RENAME TO {quoted(fresh)}",
        ),
        (f"DROP TYPE {aside}", again),
    ]
    why = "the type with the new labels takes the name; no column uses the other any more"
    kept_name = f"{name} is a type's name before and after this transaction"
    steps = (
        Step(
            sql,
            why,
            down=(down,),
            touches=touches,
            accepts=(("rename-breaks-clients", kept_name),) * (" RENAME " in sql),
        )
        for sql, down in pairs
    )
    return Rewritten(tuple(steps))
