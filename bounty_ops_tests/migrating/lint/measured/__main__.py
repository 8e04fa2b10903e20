"""Print how the linter does: ``python -m bounty_ops_tests.migrating.lint.measured``.

Text only; with ``--server`` also with the catalogue of a server of its own (major 17).
"""

from __future__ import annotations

import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bounty_ops.migrating.lint import lint_sql
from bounty_ops.postgres.programs import find_programs
from bounty_ops_tests.fix_servers import running_server
from bounty_ops_tests.migrating.lint.measured.cases import Case, read_cases
from bounty_ops_tests.migrating.lint.measured.catalogues import Catalogues
from bounty_ops_tests.migrating.lint.measured.measuring import laboratory
from bounty_ops_tests.migrating.lint.measured.scoring import Score, score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.migrating.lint import Finding

_MAJOR = 17


@cache
def _found(sql: str, history: tuple[str, ...], major: int) -> Sequence[Finding]:
    return lint_sql(sql, history=history, pg_major=major)


def by_text(case: Case, major: int) -> Sequence[Finding]:
    """The file alone."""
    return _found(case.sql, (), major)


def by_history(case: Case, major: int) -> Sequence[Finding]:
    """The file and those before it."""
    return _found(case.sql, case.earlier, major)


def tell(title: str, found: Score) -> None:
    """A score with everything that is wrong."""
    lines = [f"{title}: {found}"]
    lines += [f"  missed       {name}" for name in found.missed]
    lines += [f"  false alarm  {name}" for name in found.false_alarms]
    sys.stdout.write("\n".join(lines) + "\n\n")


def main(arguments: Sequence[str]) -> None:
    """Print the tables."""
    cases = [case for case in read_cases() if case.scored]
    of_text = [case for case in cases if case.decides == "text"]
    of_history = [case for case in cases if case.decides == "history"]
    tell("text decides, text known", score(of_text, by_text))
    tell("history decides, history known", score(of_history, by_history))
    if "--server" not in arguments:
        return
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        directory.chmod(0o755)
        programs = find_programs(_MAJOR, server=True)
        with running_server(programs, directory) as url, laboratory(url) as lab:
            known = Catalogues(lab, _MAJOR)
            here = [case for case in cases if _MAJOR in case.majors]
            tell("everything, catalogue known", score(here, known.lint, [_MAJOR]))


if __name__ == "__main__":
    main(sys.argv[1:])
