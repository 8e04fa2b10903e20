"""Trying steps out: each revision forward, back and forward again, compared each time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pglast.enums import AlterTableType, ConstrType

from bounty_ops.errors import MigrationError, PostgresError
from bounty_ops.migrating.catalog import read_catalog
from bounty_ops.migrating.drift import differences
from bounty_ops.migrating.generate.enums import unless_used
from bounty_ops.migrating.generate.known import Known
from bounty_ops.migrating.generate.laboratory import APPLICATION, catalog_of, execute
from bounty_ops.migrating.generate.statements import is_command, parsed, quoted, strings, written
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.catalog import Catalog
    from bounty_ops.migrating.generate.step import Step


def forward(url: DatabaseUrl, groups: Sequence[tuple[Step, ...]]) -> list[Catalog]:
    """Run the revisions one after the other; returns the schema before, between and after them."""
    seen = [catalog_of(url)]
    for steps in groups:
        alone = steps[0].autocommit
        try:
            execute(url, [step.sql for step in steps], autocommit=alone)
        except PostgresError as error:
            raise MigrationError(
                f"what was generated does not run: {error}",
                hint="Nothing was written. Report it, and write this revision by hand: "
                f"{'; '.join(step.sql for step in steps)}",
            ) from error
        seen.append(catalog_of(url))
    return seen


def ways_back(
    url: DatabaseUrl, groups: Sequence[tuple[Step, ...]], seen: Sequence[Catalog]
) -> list[tuple[str, ...]]:
    """For each revision what takes it back, tried out on a database that has had all of them."""
    found: list[tuple[str, ...]] = []
    for number in reversed(range(len(groups))):
        before, after = seen[number], seen[number + 1]
        candidates = [_own(groups[number]), _compared(groups[number], before, after)]
        for statements in candidates:
            if statements is not None and _leads_to(url, statements, before):
                found.append(statements)
                break
        else:
            raise MigrationError(
                "no way back was found for: " + "; ".join(step.sql for step in groups[number]),
                hint="Nothing was written. Report it, and write this revision by hand.",
            )
    return found[::-1]


def _own(steps: tuple[Step, ...]) -> tuple[str, ...] | None:
    """What the steps themselves know."""
    statements: list[str] = []
    for step in reversed(steps):
        if step.down is None:
            return None
        statements += step.down
    return tuple(statements)


def _compared(steps: tuple[Step, ...], before: Catalog, after: Catalog) -> tuple[str, ...]:
    """What a comparison of the two schemas says."""
    statements = [sql for each in differences(before, after) for sql in each.sql]
    statements = [part for sql in statements for part in _bearable(sql)]
    labels = _labels(steps)
    if not labels:
        return tuple(statements)
    known = Known(before)
    used = [(label, name, known.columns_of_type(name)) for name, label in labels]
    return (unless_used(used, statements),)


def _labels(steps: tuple[Step, ...]) -> list[tuple[str, str]]:
    if steps[0].kind != "enum":
        return []
    nodes = [parsed(step.sql) for step in steps]
    return [(strings(node.typeName)[-1], node.newVal) for node in nodes]


def _bearable(sql: str) -> list[str]:
    """A column that comes back required: its values are gone, so it can be so only without rows."""
    node = parsed(sql)
    if not is_command(node, AlterTableType.AT_AddColumn):
        return [sql]
    column = node.cmds[0].def_
    kinds = {each.contype for each in column.constraints or ()}
    free = {ConstrType.CONSTR_DEFAULT, ConstrType.CONSTR_GENERATED, ConstrType.CONSTR_IDENTITY}
    if ConstrType.CONSTR_NOTNULL not in kinds or kinds & free:
        return [sql]
    column.constraints = tuple(
        each for each in column.constraints if each.contype != ConstrType.CONSTR_NOTNULL
    )
    table, name = written(node.relation), quoted(column.colname)
    required = (
        f"DO $down$ BEGIN\nIF NOT EXISTS (SELECT FROM {table}) THEN\n"
        f"  ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL;\n"
        f"ELSE\n  RAISE NOTICE 'the values that were dropped are not known any more';\n"
        "END IF;\nEND $down$"
    )
    return [written(node), required]


def _leads_to(url: DatabaseUrl, statements: tuple[str, ...], wanted: Catalog) -> bool:
    """Whether statements make the schema what it was; if not, they are not kept."""
    try:
        with connect(url, application_name=APPLICATION, autocommit=False) as connection:
            connection.execute("SET search_path TO public")
            for statement in statements:
                connection.execute(statement.encode())
            there = essence(read_catalog(connection)) == essence(wanted)
            if not there:
                connection.rollback()
    except PostgresError:
        return False
    return there


def essence(catalog: Catalog) -> str:
    """A schema's fingerprint whether or not its constraints have been validated.

    Nothing takes a validation back, and nothing needs to.
    """
    items = {
        key: replace(item, facts={**item.facts, "validity": "valid"})
        if item.kind == "constraint"
        else item
        for key, item in catalog.items.items()
    }
    return replace(catalog, items=items).fingerprint
