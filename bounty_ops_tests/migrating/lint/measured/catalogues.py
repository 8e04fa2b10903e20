"""The linter with the live catalogue of a laboratory, after the earlier files of a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from bounty_ops.migrating.lint import lint_sql, read_catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.migrating.lint import Catalogue, Finding
    from bounty_ops_tests.migrating.lint.measured.cases import Case
    from bounty_ops_tests.migrating.lint.measured.measuring import Laboratory


@dataclass
class Catalogues:
    """Reads what a file would meet; once for all files without earlier ones."""

    laboratory: Laboratory
    major: int
    _context: list[Catalogue] = field(default_factory=list)

    def lint(self, case: Case, major: int) -> Sequence[Finding]:
        """The findings with everything known that can be known before it runs."""
        assert major == self.major
        return lint_sql(case.sql, history=case.earlier, catalogue=self._of(case), pg_major=major)

    def _of(self, case: Case) -> Catalogue:
        if case.earlier:
            with self.laboratory.copy(case) as url:
                return _read(url.conninfo())
        if not self._context:
            self._context.append(_read(self.laboratory.context_url().conninfo()))
        return self._context[0]


def _read(words: dict[str, str]) -> Catalogue:
    with psycopg.connect(**words, autocommit=True) as connection:  # type: ignore[arg-type] # libpq takes any keyword
        return read_catalogue(connection)
