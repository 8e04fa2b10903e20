"""Look at a migration before it runs: locks, rewrites, scans, failures, and the safe way."""

from bounty_ops.migrating.lint.engine import DEFAULT_MAJOR, lint_sql
from bounty_ops.migrating.lint.finding import Finding
from bounty_ops.migrating.lint.live import read_catalogue
from bounty_ops.migrating.lint.revisions import lint_revisions
from bounty_ops.migrating.lint.rulebook import RULES
from bounty_ops.migrating.lint.sarif import sarif
from bounty_ops.migrating.lint.schema import Catalogue
from bounty_ops.migrating.lint.statement_class import lint_class

__all__ = [
    "DEFAULT_MAJOR",
    "RULES",
    "Catalogue",
    "Finding",
    "lint_class",
    "lint_revisions",
    "lint_sql",
    "read_catalogue",
    "sarif",
]
