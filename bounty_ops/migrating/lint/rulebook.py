"""All rules by their identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.lint import rules_operations, rules_server, rules_structure

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.rule import Rule

SECTIONS: Final[tuple[tuple[str, tuple[Rule, ...]], ...]] = (
    ("Indexes", rules_structure.INDEXES),
    ("Columns", rules_structure.COLUMNS),
    ("Constraints", rules_structure.CONSTRAINTS),
    ("Partitions", rules_structure.PARTITIONS),
    ("Transactions and locks", rules_operations.TRANSACTIONS),
    ("Rows and objects", rules_operations.ROWS),
    ("Names", rules_operations.NAMES),
    ("Maintenance", rules_server.MAINTENANCE),
    ("Rights", rules_server.RIGHTS),
    ("Replication", rules_server.REPLICATION),
    ("What cannot be seen", rules_server.HIDDEN),
)
"""As the reference page shows them."""

RULES: Final[dict[str, Rule]] = {rule.id: rule for _, rules in SECTIONS for rule in rules}
