"""`-- bounty-ops: acknowledge RULE: reason`: a hazard that somebody has looked at."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bounty_ops.migrating.lint.finding import Finding
    from bounty_ops.migrating.lint.script import Statement

_COMMENT: Final = re.compile(
    r"--[ \t]*bounty-ops:[ \t]*acknowledge[ \t]+(?P<rule>[a-z-]+)[ \t]*:[ \t]*(?P<reason>\S[^\n]*)"
)


def acknowledged(
    sql: str, statements: Sequence[Statement], findings: Sequence[Finding]
) -> Iterator[Finding]:
    """The findings; those that a comment acknowledges as advice, with the reason.

    A comment counts for the statement that it stands before or in, and only with a reason.
    """
    accepted: dict[tuple[str, int], str] = {}
    for found in _COMMENT.finditer(sql):
        line = sql.count("\n", 0, found.start()) + 1
        statement = _statement_at(statements, line)
        if statement is not None:
            accepted[found["rule"], statement] = found["reason"].strip()
    for each in findings:
        reason = accepted.get((each.rule, each.statement))
        if reason is None:
            yield each
        else:
            said = f"{each.message} Acknowledged: {reason}"
            yield replace(each, level="advice", message=said)


def _statement_at(statements: Sequence[Statement], line: int) -> int | None:
    for each in statements:
        last = each.line + each.text.count("\n")
        if line <= last:
            return each.number
    return None
