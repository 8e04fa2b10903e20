"""Another type for a column while it is in use: a second column beside it, then a swap of names.

A trigger keeps both in step from the first moment on, so it does not matter when the rows that
were there before get their value. What the column had - NOT NULL, a default, indexes, constraints -
is made for the new one beside the traffic. The swap is one short transaction; the old column stays
until a later revision, without conditions that would stop programs that do not know it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.generate.belongings import constraints, indexes, made_again
from bounty_ops.migrating.generate.columns import backfill
from bounty_ops.migrating.generate.constraints import SHARE_ROW_EXCLUSIVE, validation
from bounty_ops.migrating.generate.second_column import Work
from bounty_ops.migrating.generate.statements import Node, expression, quoted, with_columns, written
from bounty_ops.migrating.generate.step import Rewritten
from bounty_ops.migrating.generate.types import simple_conversion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.migrating.generate.known import Known
    from bounty_ops.migrating.generate.second_column import Conversion

_NOTHING: Final[Mapping[str, Node]] = {}


def convert(
    wish: Conversion,
    known: Known,
    gone: frozenset[str] = frozenset(),
    remade: Mapping[str, Node] = _NOTHING,
) -> Rewritten:
    """The steps of a conversion; `why_not_online` has been asked.

    Args:
        wish: what is wanted.
        known: what is there.
        gone: names of constraints and indexes that are dropped before.
        remade: statements that make others as they shall be, by name.
    """
    work = Work(wish, known, gone, remade)
    _expand(work)
    _fill(work)
    indexes(work)
    constraints(work)
    _swap(work)
    _contract(work)
    return Rewritten(tuple(sorted(work.steps, key=lambda step: step.stage)))


def _expand(work: Work) -> None:
    wish, target, new = work.wish, work.target, quoted(work.new)
    work.step(
        f"ALTER TABLE {target} ADD COLUMN {new} {wish.type}",
        "a second column, NULL in every row",
        0,
        (f"ALTER TABLE {target} DROP COLUMN {new}",),
    )
    function, trigger = _trigger(work)
    gone = (
        f"DROP TRIGGER {quoted(work.sync)} ON {target}",
        f"DROP FUNCTION public.{quoted(work.sync)}()",
    )
    work.step(function, "computes the new column's value", 0, gone[1:], lock=None, risk="online")
    work.step(trigger, "from now on both are written", 0, gone[:1], lock=SHARE_ROW_EXCLUSIVE)
    if wish.not_null:
        condition = _not_null(work)
        work.step(
            f"{condition} NOT VALID",
            "the trigger sees to it for new rows; the others are not read yet",
            0,
            (f"ALTER TABLE {target} DROP CONSTRAINT {quoted(work.check)}",),
        )
        work.steps.append(
            validation(target, wish.table, work.check, frozenset({wish.table}), stage=3)
        )


def _not_null(work: Work) -> str:
    return (
        f"ALTER TABLE {work.target} ADD CONSTRAINT {quoted(work.check)} "
        f"CHECK ({quoted(work.new)} IS NOT NULL)"
    )


def _trigger(work: Work) -> tuple[str, str]:
    name, target = quoted(work.sync), work.target
    value = written(with_columns(expression(work.wish.using), prefix="new"))
    function = (
        f"CREATE FUNCTION public.{name}() RETURNS trigger LANGUAGE plpgsql "
        f"SET search_path = pg_catalog, public AS $sync$ "
        f"BEGIN new.{quoted(work.new)} := {value}; RETURN new; END $sync$"
    )
    trigger = (
        f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {target} "
        f"FOR EACH ROW EXECUTE FUNCTION public.{name}()"
    )
    return function, trigger


def _fill(work: Work) -> None:
    wish = work.wish
    where = f"{quoted(work.new)} IS NULL AND {quoted(wish.column)} IS NOT NULL"
    filled = backfill(
        work.target,
        wish.table,
        {work.new: wish.using},
        where,
        key=work.known.primary_key(wish.table),
    )
    work.steps.append(replace(filled, touches=frozenset({wish.table}), stage=1))


def _swap(work: Work) -> None:
    wish, target = work.wish, work.target
    table = f"ALTER TABLE {target}"
    column, new, old = quoted(wish.column), quoted(work.new), quoted(work.old)
    function, trigger = _trigger(work)
    pairs: list[tuple[str, tuple[str, ...]]] = [
        (f"DROP TRIGGER {quoted(work.sync)} ON {target}", (trigger,)),
        (f"DROP FUNCTION public.{quoted(work.sync)}()", (function,)),
    ]
    if wish.not_null:
        pairs += [
            (
                f"{table} ALTER COLUMN {new} SET NOT NULL",
                (f"{table} ALTER COLUMN {new} DROP NOT NULL",),
            ),
            (f"{table} DROP CONSTRAINT {quoted(work.check)}", (_not_null(work),)),
            # Programs that write the table from now on do not know the old column.
            (
                f"{table} ALTER COLUMN {column} DROP NOT NULL",
                (f"{table} ALTER COLUMN {column} SET NOT NULL",),
            ),
        ]
    if wish.old_default is not None:
        pairs.append(
            (
                f"{table} ALTER COLUMN {column} DROP DEFAULT",
                (f"{table} ALTER COLUMN {column} SET DEFAULT {wish.old_default}",),
            )
        )
    pairs += work.swap
    pairs += [
        (f"{table} RENAME COLUMN {column} TO {old}", (f"{table} RENAME COLUMN {old} TO {column}",)),
        (f"{table} RENAME COLUMN {new} TO {column}", (f"{table} RENAME COLUMN {column} TO {new}",)),
    ]
    if wish.default is not None:
        pairs.append(
            (
                f"{table} ALTER COLUMN {column} SET DEFAULT {wish.default}",
                (f"{table} ALTER COLUMN {column} DROP DEFAULT",),
            )
        )
    for number, (sql, down) in enumerate(pairs):
        # Rows that were written since have nothing in the old column.
        last = number == len(pairs) - 1
        again = (f"UPDATE {target} SET {old} = {_back(work)}",)  # noqa: S608 - quoted
        work.step(
            sql,
            "the columns change their names in one short transaction",
            4,
            (*(again if last else ()), *down),
            accepts=_accepted(work, sql),
        )


def _accepted(work: Work, sql: str) -> tuple[tuple[str, str], ...]:
    """What a linter has to be told about a statement of the swap."""
    if " RENAME COLUMN " in sql:
        return (
            (
                "rename-breaks-clients",
                f"{work.wish.column} is a column's name before and after this transaction",
            ),
        )
    if sql.startswith("DROP FUNCTION"):
        return (("object-dropped", "only the trigger called it"),)
    return ()


def _back(work: Work) -> str:
    wish = work.wish
    return wish.back or simple_conversion(wish.type, wish.before, quoted(wish.column))


def _contract(work: Work) -> None:
    wish, target, old = work.wish, work.target, quoted(work.old)
    down = [
        f"ALTER TABLE {target} ADD COLUMN {old} {wish.before}",
        f"UPDATE {target} SET {old} = {_back(work)}",  # noqa: S608 - quoted
        *made_again(work),
    ]
    work.step(
        f"ALTER TABLE {target} DROP COLUMN {old}",
        "the values are in the new column; programs have not read the old one since the swap",
        5,
        tuple(down),
        accepts=(("column-dropped", f"its values are in {work.wish.column} since the swap"),),
    )
