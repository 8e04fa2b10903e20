"""Another type for a column while it is in use: a second column beside it, then a swap of names.

A trigger keeps both in step from the first moment on, so it does not matter when the rows that
were there before get their value. What the column had - NOT NULL, a default, indexes, constraints -
is made for the new one beside the traffic. The swap is one short transaction; the old column stays
until a later revision, without conditions that would stop programs that do not know it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import ConstrType

from bounty_ops.migrating.generate.columns import backfill
from bounty_ops.migrating.generate.constraints import (
    ACCESS_EXCLUSIVE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    validation,
)
from bounty_ops.migrating.generate.statements import (
    derived,
    expression,
    listed,
    parsed,
    quoted,
    strings,
    with_columns,
    written,
)
from bounty_ops.migrating.generate.step import Kind, Rewritten, Risk, Step
from bounty_ops.migrating.generate.types import replace_type, simple_conversion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bounty_ops.migrating.generate.known import Constraint, Known

_UNDERSTOOD: Final = frozenset({"default", "comment"})
_NOTHING: Final[Mapping[str, ast.Node]] = {}


@dataclass(frozen=True)
class Conversion:
    """What is wanted: the column ``table.column`` as ``type``."""

    table: str
    column: str
    type: str
    using: str
    """The new value, from the columns of the row."""
    before: str
    """The type that it had."""
    default: str | None
    """What the default shall be."""
    old_default: str | None
    not_null: bool
    renamed_type: tuple[str, str] | None = None
    """An enum type of `public` and the one that takes its place, in what is made anew."""
    back: str | None = None
    """The old value, from the new one under the column's name."""


def why_not_online(
    table: str, column: str, known: Known, gone: frozenset[str] = frozenset()
) -> str | None:
    """What stands against a second column; ``gone`` are objects that the change drops before."""
    if known.is_partitioned(table):
        return "the table is partitioned"
    if not known.primary_key(table):
        return "the table has no primary key to go through its rows by"
    if column in known.primary_key(table):
        return "the column is part of the primary key"
    for item in known.dependents(table, column):
        if item.kind in _UNDERSTOOD or item.key[-1] in gone:
            continue
        if item.kind == "index":
            continue
        own = item.kind == "constraint" and item.key[1] == table
        if not own or item.texts["form"] not in ("unique", "check", "foreign key"):
            return f"the {item.kind.replace('_', ' ')} {item.name} depends on the column"
        if item.texts["form"] == "foreign key" and _refers_to_itself(
            item.facts["definition"], table
        ):
            return f"the constraint {item.name} refers to its own table"
    return None


def _refers_to_itself(definition: str, table: str) -> bool:
    node = parsed(f"ALTER TABLE t ADD CONSTRAINT c {definition}").cmds[0].def_
    return bool(node.pktable.relname == table)


@dataclass
class _Work:
    """The steps of one conversion while they are put together."""

    wish: Conversion
    known: Known
    gone: frozenset[str]
    remade: Mapping[str, ast.Node]
    steps: list[Step] = field(default_factory=list)
    swap: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """What happens when the names change, each with what takes it back."""

    def __post_init__(self) -> None:
        wish = self.wish
        self.target = f"public.{quoted(wish.table)}"
        self.new = derived(wish.column, "new")
        self.old = derived(wish.column, "old")
        self.sync = derived(f"{wish.table}_{wish.column}", "sync")
        self.check = derived(f"{wish.table}_{self.new}", "set")

    def step(
        self,
        sql: str,
        why: str,
        stage: int,
        down: tuple[str, ...],
        *,
        lock: str | None = ACCESS_EXCLUSIVE,
        risk: Risk = "brief",
        kind: Kind = "change",
        accepts: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Add a step."""
        touches = frozenset({self.wish.table})
        self.steps.append(
            Step(
                sql,
                why,
                lock,
                self.wish.table,
                risk,
                kind,
                down,
                accepts=accepts,
                touches=touches,
                stage=stage,
            )
        )

    def renamed(self, node: ast.Node) -> ast.Node:
        """A definition as it has to be for the new column."""
        if self.wish.renamed_type is not None:
            replace_type(node, *self.wish.renamed_type)
        return with_columns(node, {self.wish.column: self.new})


def convert(
    wish: Conversion,
    known: Known,
    gone: frozenset[str] = frozenset(),
    remade: Mapping[str, ast.Node] = _NOTHING,
) -> Rewritten:
    """The steps of a conversion; `why_not_online` has been asked.

    Args:
        wish: what is wanted.
        known: what is there.
        gone: names of constraints and indexes that are dropped before.
        remade: statements that make others as they shall be, by name.
    """
    work = _Work(wish, known, gone, remade)
    _expand(work)
    _fill(work)
    _indexes(work)
    _constraints(work)
    _swap(work)
    _contract(work)
    return Rewritten(tuple(sorted(work.steps, key=lambda step: step.stage)))


def _expand(work: _Work) -> None:
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


def _not_null(work: _Work) -> str:
    return (
        f"ALTER TABLE {work.target} ADD CONSTRAINT {quoted(work.check)} "
        f"CHECK ({quoted(work.new)} IS NOT NULL)"
    )


def _trigger(work: _Work) -> tuple[str, str]:
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


def _fill(work: _Work) -> None:
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


def _uses(node: ast.Node, column: str) -> bool:
    """Whether a definition mentions the column."""
    before = written(node)
    after = written(with_columns(node, {column: "x__probe"}))
    with_columns(node, {"x__probe": column})
    return before != after


def _indexes(work: _Work) -> None:
    for name, definition in work.known.indexes(work.wish.table).items():
        node = parsed(definition)
        if name in work.gone or not _uses(node, work.wish.column):
            continue
        fresh, kept = derived(name, "new"), derived(name, "old")
        node = work.remade.get(name, node)
        node.idxname, node.concurrent = fresh, True
        work.step(
            written(work.renamed(node)),
            f"what {name} is for the old column",
            2,
            (f"DROP INDEX public.{quoted(fresh)}",),
            lock=SHARE_UPDATE_EXCLUSIVE,
            risk="online",
            kind="alone",
        )
        _rename_index(work, name, kept)
        _rename_index(work, fresh, name)


def _rename_index(work: _Work, before: str, after: str) -> None:
    work.swap.append(
        (
            f"ALTER INDEX public.{quoted(before)} RENAME TO {quoted(after)}",
            (f"ALTER INDEX public.{quoted(after)} RENAME TO {quoted(before)}",),
        )
    )


def _constraints(work: _Work) -> None:
    for there in work.known.constraints(work.wish.table):
        if there.name in work.gone:
            continue
        constraint = there
        if there.name in work.remade:
            constraint = replace(there, node=work.remade[there.name].cmds[0].def_)
        if constraint.node.contype == ConstrType.CONSTR_UNIQUE:
            _unique(work, constraint)
        elif constraint.node.contype == ConstrType.CONSTR_FOREIGN:
            if work.wish.column in strings(constraint.node.fk_attrs):
                renamed = [
                    work.new if name == work.wish.column else name
                    for name in strings(constraint.node.fk_attrs)
                ]
                constraint.node.fk_attrs = tuple(ast.String(sval=name) for name in renamed)
                _condition(work, constraint, SHARE_ROW_EXCLUSIVE)
        elif constraint.node.contype == ConstrType.CONSTR_CHECK and _uses(
            constraint.node.raw_expr, work.wish.column
        ):
            constraint.node.raw_expr = work.renamed(constraint.node.raw_expr)
            _condition(work, constraint, ACCESS_EXCLUSIVE)


def _unique(work: _Work, constraint: Constraint) -> None:
    keys = strings(constraint.node.keys)
    if work.wish.column not in keys:
        return
    fresh, name = derived(constraint.name, "new"), quoted(constraint.name)
    renamed = [work.new if key == work.wish.column else key for key in keys]
    more = " NULLS NOT DISTINCT" if constraint.node.nulls_not_distinct else ""
    if constraint.node.including:
        more = f" INCLUDE ({listed(strings(constraint.node.including))}){more}"
    index = f"INDEX {{}}{quoted(fresh)} ON {work.target} ({listed(renamed)}){more}"
    work.step(
        "CREATE UNIQUE " + index.format("CONCURRENTLY "),
        f"what {constraint.name} is for the old column",
        2,
        (f"DROP INDEX public.{quoted(fresh)}",),
        lock=SHARE_UPDATE_EXCLUSIVE,
        risk="online",
        kind="alone",
    )
    later = " DEFERRABLE" if constraint.node.deferrable else ""
    later += " INITIALLY DEFERRED" if constraint.node.initdeferred else ""
    table = f"ALTER TABLE {work.target}"
    kept = derived(constraint.name, "old")
    # The old one goes with the swap: two unique constraints would only differ in their column.
    work.swap.append(
        (
            f"{table} RENAME CONSTRAINT {name} TO {quoted(kept)}",
            (f"{table} RENAME CONSTRAINT {quoted(kept)} TO {name}",),
        )
    )
    work.swap.append(
        (
            f"{table} ADD CONSTRAINT {name} UNIQUE USING INDEX {quoted(fresh)}{later}",
            (f"{table} DROP CONSTRAINT {name}", "CREATE UNIQUE " + index.format("")),
        )
    )


def _condition(work: _Work, constraint: Constraint, lock: str) -> None:
    """A CHECK or a foreign key of the column."""
    fresh, kept = derived(constraint.name, "new"), derived(constraint.name, "old")
    table = f"ALTER TABLE {work.target}"
    constraint.node.conname = fresh
    constraint.node.skip_validation, constraint.node.initially_valid = True, False
    work.step(
        f"{table} ADD {written(constraint.node)}",
        f"what {constraint.name} is for the old column",
        0,
        (f"{table} DROP CONSTRAINT {quoted(fresh)}",),
        lock=lock,
    )
    work.steps.append(
        validation(work.target, work.wish.table, fresh, frozenset({work.wish.table}), stage=3)
    )
    for before, after in ((constraint.name, kept), (fresh, constraint.name)):
        work.swap.append(
            (
                f"{table} RENAME CONSTRAINT {quoted(before)} TO {quoted(after)}",
                (f"{table} RENAME CONSTRAINT {quoted(after)} TO {quoted(before)}",),
            )
        )


def _swap(work: _Work) -> None:
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
        again = (f"UPDATE {target} SET {old} = {_back(work)}",)
        work.step(
            sql,
            "the columns change their names in one short transaction",
            4,
            (*(again if last else ()), *down),
            accepts=_accepted(work, sql),
        )


def _accepted(work: _Work, sql: str) -> tuple[tuple[str, str], ...]:
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


def _back(work: _Work) -> str:
    wish = work.wish
    return wish.back or simple_conversion(wish.type, wish.before, quoted(wish.column))


def _contract(work: _Work) -> None:
    wish, target, old = work.wish, work.target, quoted(work.old)
    down = [
        f"ALTER TABLE {target} ADD COLUMN {old} {wish.before}",
        f"UPDATE {target} SET {old} = {_back(work)}",
        *_made_again(work),
    ]
    work.step(
        f"ALTER TABLE {target} DROP COLUMN {old}",
        "the values are in the new column; programs have not read the old one since the swap",
        5,
        tuple(down),
        accepts=(("column-dropped", f"its values are in {work.wish.column} since the swap"),),
    )


def _made_again(work: _Work) -> Iterable[str]:
    """What went with the old column, under the names that it had then."""
    for name, definition in work.known.indexes(work.wish.table).items():
        node = parsed(definition)
        if name not in work.gone and _uses(node, work.wish.column):
            node.idxname = derived(name, "old")
            yield written(with_columns(node, {work.wish.column: work.old}))
    for constraint in work.known.constraints(work.wish.table):
        node = constraint.node
        unique = node.contype == ConstrType.CONSTR_UNIQUE and work.wish.column in strings(node.keys)
        foreign = node.contype == ConstrType.CONSTR_FOREIGN and work.wish.column in strings(
            node.fk_attrs
        )
        check = node.contype == ConstrType.CONSTR_CHECK and _uses(node.raw_expr, work.wish.column)
        if constraint.name in work.gone or not (unique or foreign or check):
            continue
        node.conname = derived(constraint.name, "old")
        swap = {work.wish.column: work.old}
        if unique or foreign:
            slot = "keys" if unique else "fk_attrs"
            names = [swap.get(name, name) for name in strings(getattr(node, slot))]
            setattr(node, slot, tuple(ast.String(sval=name) for name in names))
        else:
            node.raw_expr = with_columns(node.raw_expr, swap)
        yield f"ALTER TABLE {work.target} ADD {written(node)}"
