"""How well a linter does on the cases: what it misses, and where it cries wolf.

A file counts as flagged when there is any finding of level error or warning. Only what a linter
could know is counted: see `Case.scored`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bounty_ops.migrating.lint import Finding
    from bounty_ops_tests.migrating.lint.measured.cases import Case

Linter = Callable[["Case", int], Sequence["Finding"]]

HAZARDOUS: Final = frozenset({"error", "warning"})
_PREFERRED_MAJOR: Final = 17


@dataclass(frozen=True)
class Score:
    """Of one linter, with one amount of knowledge."""

    hazards: int
    safe: int
    missed: tuple[str, ...]
    false_alarms: tuple[str, ...]

    @property
    def detection(self) -> float:
        """The share of the hazards that were flagged."""
        return 1 - len(self.missed) / self.hazards

    @property
    def alarm_rate(self) -> float:
        """The share of the safe files that were flagged."""
        return len(self.false_alarms) / self.safe

    def __str__(self) -> str:
        found = self.hazards - len(self.missed)
        return (
            f"detected {found} of {self.hazards} ({self.detection:.1%}), "
            f"false alarms {len(self.false_alarms)} of {self.safe} ({self.alarm_rate:.1%})"
        )


def major_for(case: Case) -> int:
    """The major that a case is judged on when one has to do."""
    return min(case.majors, key=lambda major: abs(major - _PREFERRED_MAJOR))


def score(cases: Sequence[Case], linter: Linter, majors: Sequence[int] = ()) -> Score:
    """Hold a linter against the cases, on the majors named or on one for each case."""
    hazards = safe = 0
    missed: list[str] = []
    alarms: list[str] = []
    for case in cases:
        for major in [one for one in majors if one in case.majors] or [major_for(case)]:
            flagged = [one for one in linter(case, major) if one.level in HAZARDOUS]
            if case.verdict == "hazard":
                hazards += 1
                if not flagged:
                    missed.append(f"{case.id} [{major}, {case.decides}]: {case.why}")
            else:
                safe += 1
                if flagged:
                    rules = ", ".join(sorted({finding.rule for finding in flagged}))
                    alarms.append(f"{case.id} [{major}, {case.decides}]: {rules}; {case.why}")
    return Score(hazards, safe, tuple(missed), tuple(alarms))
