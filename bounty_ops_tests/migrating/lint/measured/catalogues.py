"""The linter with the live catalogue of a laboratory, after the earlier files of a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bounty_ops.migrating.lint import lint_sql, read_catalogue
from bounty_ops_tests.migrating.lint.measured.sessions import session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.lint import Catalogue, Finding
    from bounty_ops_tests.migrating.lint.measured.cases import Case
    from bounty_ops_tests.migrating.lint.measured.measuring import Laboratory


@dataclass
class Catalogues:
    """Reads what a file would meet; once for all files without earlier ones."""

    laboratory: Laboratory
    major: int
    _context: list[Catalogue] = field(default_factory=list)
    _findings: dict[str, Sequence[Finding]] = field(default_factory=dict)

    def lint(self, case: Case, major: int) -> Sequence[Finding]:
        """The findings with everything known that can be known before it runs."""
        assert major == self.major
        if case.id not in self._findings:
            self._findings[case.id] = lint_sql(
                case.sql, history=case.earlier, catalogue=self._of(case), pg_major=major
            )
        return self._findings[case.id]

    def _of(self, case: Case) -> Catalogue:
        if case.earlier:
            with self.laboratory.copy(case) as url:
                return _read(url)
        if not self._context:
            self._context.append(_read(self.laboratory.context_url()))
        return self._context[0]


def _read(url: DatabaseUrl) -> Catalogue:
    with session(url) as connection:
        return read_catalogue(connection)
