"""All examples together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.migrating.lint import lint_sql
from bounty_ops_tests.migrating.lint import examples_operations as operations
from bounty_ops_tests.migrating.lint import examples_structure as structure

if TYPE_CHECKING:
    from bounty_ops.migrating.lint import Finding
    from bounty_ops_tests.migrating.lint.example import Example

EXAMPLES = (
    *structure.INDEXES,
    *structure.COLUMNS,
    *structure.TYPES,
    *structure.CONSTRAINTS,
    *structure.PARTITIONS,
    *operations.ROWS,
    *operations.OBJECTS,
    *operations.MAINTENANCE,
    *operations.RIGHTS,
    *operations.HIDDEN,
    *operations.TRANSACTIONS,
)


def lint(example: Example, text: str | None = None) -> tuple[Finding, ...]:
    """What the linter says about an example, or about another text in its place."""
    history = [structure.SCHEMA] if example.schema else []
    return lint_sql(text or example.text(), history=history, pg_major=example.major)


def hazards(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """The rules that found a hazard, in alphabetical order."""
    return tuple(sorted(each.rule for each in findings if each.hazard))
