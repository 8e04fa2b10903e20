"""Constraints and indexes: made beside the traffic, put in force in a moment."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pglast.enums import ConstrType

from bounty_ops.migrating.generate.statements import (
    Node,
    derived,
    listed,
    mentioned,
    quoted,
    strings,
    written,
)
from bounty_ops.migrating.generate.step import Rewritten, Step

if TYPE_CHECKING:
    from bounty_ops.migrating.generate.known import Known

_CREATE_INDEX: Final = re.compile(
    r"^\s*CREATE\s+(UNIQUE\s+)?INDEX\s+(CONCURRENTLY\s+)?", re.IGNORECASE
)
ACCESS_EXCLUSIVE: Final = "ACCESS EXCLUSIVE"
SHARE_ROW_EXCLUSIVE: Final = "SHARE ROW EXCLUSIVE"
SHARE_UPDATE_EXCLUSIVE: Final = "SHARE UPDATE EXCLUSIVE"


def foreign_key_or_check(sql: str, node: Node) -> Rewritten:
    """ADD FOREIGN KEY or CHECK: for new rows at once, for the others looked at later."""
    constraint, table = node.cmds[0].def_, node.relation.relname
    target = written(node.relation)
    foreign = constraint.contype == ConstrType.CONSTR_FOREIGN
    name = quoted(constraint.conname)
    touches = mentioned(node)
    late = not constraint.skip_validation
    adding = Step(
        sql=f"{sql} NOT VALID" if late else sql,
        why="new rows obey it from now on; the rows that are there are not read yet",
        lock=SHARE_ROW_EXCLUSIVE if foreign else ACCESS_EXCLUSIVE,
        table=table,
        risk="brief",
        down=(f"ALTER TABLE {target} DROP CONSTRAINT {name}",),
        touches=touches,
    )
    if not late:
        return Rewritten((adding,))
    return Rewritten((adding, validation(target, table, constraint.conname, touches, stage=1)))


def validation(
    target: str, table: str, constraint: str, touches: frozenset[str], *, stage: int
) -> Step:
    """Read the rows that are there, while others read and write them."""
    return Step(
        sql=f"ALTER TABLE {target} VALIDATE CONSTRAINT {quoted(constraint)}",
        why="reads the rows that are there; fails, and changes nothing, if one breaks the rule",
        lock=SHARE_UPDATE_EXCLUSIVE,
        table=table,
        kind="validate",
        touches=touches,
        stage=stage,
    )


def unique(sql: str, node: Node, known: Known, *, replaces: bool) -> Rewritten:
    """ADD UNIQUE or PRIMARY KEY: an index built beside the traffic, then adopted."""
    constraint, table = node.cmds[0].def_, node.relation.relname
    if constraint.indexname is not None:
        return Rewritten((_plain_addition(sql, node, "the index is there already", "brief"),))
    if constraint.without_overlaps or known.is_partitioned(table):
        return Rewritten((_plain_addition(sql, node, "no such index can be adopted", "blocking"),))
    target, touches = written(node.relation), mentioned(node)
    index = derived(constraint.conname, "new") if replaces else constraint.conname
    primary = constraint.contype == ConstrType.CONSTR_PRIMARY
    steps: list[Step] = []
    if primary:
        for column in strings(constraint.keys):
            if not known.is_not_null(table, column):
                steps += proof_of_not_null(target, table, column, first=_next_stage(steps))
    built = Step(
        sql=_unique_index(constraint, index, target),
        why="built while others read and write; fails if two rows are alike",
        lock=SHARE_UPDATE_EXCLUSIVE,
        table=table,
        kind="alone",
        down=(f"DROP INDEX {quoted(index)}",),
        touches=touches,
        stage=_next_stage(steps),
    )
    # Dropping the constraint drops its index, which the step before would have to drop.
    again = _unique_index(constraint, index, target).replace(" CONCURRENTLY", "")
    adopted = Step(
        sql=_adoption(node, constraint, index),
        why="takes the finished index over",
        lock=ACCESS_EXCLUSIVE,
        table=table,
        risk="brief",
        down=(f"ALTER TABLE {target} DROP CONSTRAINT {quoted(constraint.conname)}", again),
        touches=touches,
        stage=built.stage + 1,
    )
    return Rewritten((*steps, built, adopted))


def _next_stage(steps: list[Step]) -> int:
    return steps[-1].stage + 1 if steps else 0


def _unique_index(constraint: Node, index: str, target: str) -> str:
    text = f"CREATE UNIQUE INDEX CONCURRENTLY {quoted(index)} ON {target}"
    text += f" ({listed(strings(constraint.keys))})"
    if constraint.including:
        text += f" INCLUDE ({listed(strings(constraint.including))})"
    return text + (" NULLS NOT DISTINCT" if constraint.nulls_not_distinct else "")


def _adoption(node: Node, constraint: Node, index: str) -> str:
    primary = constraint.contype == ConstrType.CONSTR_PRIMARY
    text = f"ALTER TABLE {written(node.relation)} ADD CONSTRAINT {quoted(constraint.conname)}"
    text += f" {'PRIMARY KEY' if primary else 'UNIQUE'} USING INDEX {quoted(index)}"
    if constraint.deferrable:
        text += " DEFERRABLE"
    return text + (" INITIALLY DEFERRED" if constraint.initdeferred else "")


def _plain_addition(
    sql: str, node: Node, why: str, risk: str, lock: str = ACCESS_EXCLUSIVE
) -> Step:
    name = quoted(node.cmds[0].def_.conname)
    return Step(
        sql=sql,
        why=why,
        lock=lock,
        table=node.relation.relname,
        risk="blocking" if risk == "blocking" else "brief",
        down=(f"ALTER TABLE {written(node.relation)} DROP CONSTRAINT {name}",),
        touches=mentioned(node),
    )


def exclusion(sql: str, node: Node) -> Rewritten:
    """EXCLUDE: there is no way but to build its index while nobody reads or writes."""
    why = "PostgreSQL can neither build the index beside the traffic nor adopt one"
    return Rewritten((_plain_addition(sql, node, why, "blocking"),))


def create_index(sql: str, node: Node, known: Known, *, replaces: bool) -> Rewritten:
    """CREATE INDEX: beside the traffic, outside of transactions."""
    table, touches = node.relation.relname, mentioned(node)
    if known.is_partitioned(table):
        blocking = Step(
            sql=sql,
            why="an index of a partitioned table cannot be built concurrently",
            lock="SHARE",
            table=table,
            risk="blocking",
            down=(f"DROP INDEX {quoted(node.idxname)}",),
            touches=touches,
        )
        return Rewritten((blocking,))
    name = derived(node.idxname, "new") if replaces else node.idxname
    text = _CREATE_INDEX.sub(r"CREATE \1INDEX CONCURRENTLY ", sql, count=1)
    if replaces:
        node.idxname, node.concurrent = name, True
        text = written(node)
    built = Step(
        sql=text,
        why="built while others read and write"
        + ("; fails if two rows are alike" if node.unique else ""),
        lock=SHARE_UPDATE_EXCLUSIVE,
        table=table,
        kind="alone",
        down=(f"DROP INDEX {_beside(node.relation, name)}",),
        touches=touches | {name},
    )
    return Rewritten((built,))


def _beside(relation: Node, name: str) -> str:
    schema = f"{quoted(relation.schemaname)}." if relation.schemaname else ""
    return schema + quoted(name)


def drop_index(name: str, written_name: str, known: Known) -> Step:
    """DROP INDEX: without a lock that readers would queue behind."""
    table = known.index_table(name)
    old = known.indexes(table).get(name) if table else None
    partitioned = table is not None and known.is_partitioned(table)
    return Step(
        sql=f"DROP INDEX {'' if partitioned else 'CONCURRENTLY '}{written_name}",
        why="queries that used it become slower",
        lock=ACCESS_EXCLUSIVE if partitioned else SHARE_UPDATE_EXCLUSIVE,
        table=table,
        risk="brief" if partitioned else "online",
        kind="change" if partitioned else "alone",
        down=None if old is None else (old,),
        touches=frozenset({name} | ({table} if table else set())),
    )


def replaced_index(dropped: Step, created: Rewritten, node: Node, name: str) -> Rewritten:
    """The old index stays until the new one is there, so no query is ever without."""
    (built,) = created.steps
    old, new = _beside(node.relation, name), _beside(node.relation, node.idxname)
    renamed = Step(
        sql=f"ALTER INDEX {new} RENAME TO {quoted(name)}",
        why="the new index takes the old one's name",
        lock=SHARE_UPDATE_EXCLUSIVE,
        table=built.table,
        risk="brief",
        down=(f"ALTER INDEX {old} RENAME TO {quoted(node.idxname)}",),
        touches=built.touches | {name},
        stage=2,
    )
    return Rewritten((built, replace(dropped, stage=1), renamed))


def proof_of_not_null(
    target: str, table: str, column: str, *, first: int, with_check: bool = True
) -> list[Step]:
    """SET NOT NULL without reading the table under a lock: a valid CHECK proves it."""
    check = derived(f"{table}_{column}", "not_null")
    named, name = quoted(column), quoted(check)
    touches = frozenset({table})
    condition = f"ALTER TABLE {target} ADD CONSTRAINT {name} CHECK ({named} IS NOT NULL)"
    steps = [
        Step(
            sql=f"{condition} NOT VALID",
            why="new rows need a value from now on; the rows that are there are not read yet",
            lock=ACCESS_EXCLUSIVE,
            table=table,
            risk="brief",
            down=(f"ALTER TABLE {target} DROP CONSTRAINT {name}",),
            touches=touches,
            stage=first,
        ),
        validation(target, table, check, touches, stage=first + 1),
        Step(
            sql=f"ALTER TABLE {target} ALTER COLUMN {named} SET NOT NULL",
            why="the CHECK proves it, so no row is read",
            lock=ACCESS_EXCLUSIVE,
            table=table,
            risk="brief",
            down=(f"ALTER TABLE {target} ALTER COLUMN {named} DROP NOT NULL",),
            touches=touches,
            stage=first + 2,
        ),
        Step(
            sql=f"ALTER TABLE {target} DROP CONSTRAINT {name}",
            why="it has done its work",
            lock=ACCESS_EXCLUSIVE,
            table=table,
            risk="brief",
            down=(condition,),
            touches=touches,
            stage=first + 2,
        ),
    ]
    return steps if with_check else steps[1:]
