"""What a fault is, and how it enters the table."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bounty_ops.alerting import Rule

if TYPE_CHECKING:
    from bounty_ops_tests.alerting.faults.place import Place

Story = Callable[["Place"], Generator[None, None, None]]


@dataclass(frozen=True)
class Fault:
    """One fault and what has to be told of it."""

    rule: Rule
    what: str
    """What is done, for the page on alerts."""
    words: tuple[str, ...]
    """What the message says, besides what to do."""
    story: Story
    lowered: Mapping[str, float] = field(default_factory=dict)
    """Thresholds other than the default ones: nobody fills a gigabyte in a test."""
    grave: bool = False
    """It is critical, so it is told after `critical_for`."""
    lingers: timedelta = timedelta(0)
    """How long what was measured before goes on saying that something is wrong."""
    unsaid: tuple[str, ...] = ()
    """What the message must not hold."""

    @property
    def name(self) -> str:
        """For a test's name."""
        return f"{self.rule.value}-{self.story.__name__}"


def fault(
    faults: list[Fault],
    rule: Rule,
    what: str,
    *words: str,
    grave: bool = False,
    lingers: timedelta = timedelta(0),
    unsaid: tuple[str, ...] = (),
    **lowered: float,
) -> Callable[[Story], Story]:
    """Enter a story into a table."""

    def enter(story: Story) -> Story:
        faults.append(Fault(rule, what, words, story, lowered, grave, lingers, unsaid))
        return story

    return enter


def drawn(faults: Sequence[Fault]) -> str:
    """The table as the page on alerts has it."""
    lines = ["| rule | fault | lowered to |", "| --- | --- | --- |"]
    for each in sorted(faults, key=lambda one: list(Rule).index(one.rule)):
        lowered = ", ".join(f"`{name}` {value:,g}" for name, value in each.lowered.items())
        lines.append(f"| `{each.rule.value}` | {each.what} | {lowered} |")
    return "\n".join(lines)
