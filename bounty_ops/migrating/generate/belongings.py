"""What belongs to a column that gets a second one: its indexes and constraints."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pglast import ast
from pglast.enums import ConstrType

from bounty_ops.migrating.generate.constraints import (
    ACCESS_EXCLUSIVE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    validation,
)
from bounty_ops.migrating.generate.second_column import uses
from bounty_ops.migrating.generate.statements import (
    derived,
    listed,
    parsed,
    quoted,
    strings,
    with_columns,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounty_ops.migrating.generate.known import Constraint
    from bounty_ops.migrating.generate.second_column import Work


def indexes(work: Work) -> None:
    """Plan what each index of the old column is for the new one."""
    for name, definition in work.known.indexes(work.wish.table).items():
        node = parsed(definition)
        if name in work.gone or not uses(node, work.wish.column):
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


def _rename_index(work: Work, before: str, after: str) -> None:
    work.swap.append(
        (
            f"ALTER INDEX public.{quoted(before)} RENAME TO {quoted(after)}",
            (f"ALTER INDEX public.{quoted(after)} RENAME TO {quoted(before)}",),
        )
    )


def constraints(work: Work) -> None:
    """Plan the same for unique constraints, checks and references."""
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
        elif constraint.node.contype == ConstrType.CONSTR_CHECK and uses(
            constraint.node.raw_expr, work.wish.column
        ):
            constraint.node.raw_expr = work.renamed(constraint.node.raw_expr)
            _condition(work, constraint, ACCESS_EXCLUSIVE)


def _unique(work: Work, constraint: Constraint) -> None:
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


def _condition(work: Work, constraint: Constraint, lock: str) -> None:
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


def made_again(work: Work) -> Iterable[str]:
    """What went with the old column, under the names that it had then."""
    for name, definition in work.known.indexes(work.wish.table).items():
        node = parsed(definition)
        if name not in work.gone and uses(node, work.wish.column):
            node.idxname = derived(name, "old")
            yield written(with_columns(node, {work.wish.column: work.old}))
    for constraint in work.known.constraints(work.wish.table):
        node = constraint.node
        unique = node.contype == ConstrType.CONSTR_UNIQUE and work.wish.column in strings(node.keys)
        foreign = node.contype == ConstrType.CONSTR_FOREIGN and work.wish.column in strings(
            node.fk_attrs
        )
        check = node.contype == ConstrType.CONSTR_CHECK and uses(node.raw_expr, work.wish.column)
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
