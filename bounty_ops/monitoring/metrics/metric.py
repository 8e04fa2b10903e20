"""What a metric is: a name, what it means, and how it is read from a collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bounty_ops.monitoring.result import FamilyResult

#: Every name begins with it; a counter's ends with ``_total``, as OpenMetrics has it.
PREFIX = "bounty_ops_"


class Reading(NamedTuple):
    """One value with the words of its labels; None: not known, and not exposed."""

    value: float | None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """One metric; every one has the label ``environment`` besides its own."""

    name: str
    """Without prefix and ``_total``; ends with its unit where it has one."""
    kind: Literal["gauge", "counter"]
    help: str
    family: type[FamilyResult]
    read: Callable[[Any], Iterable[Reading]]
    """From a result of the family."""
    labels: tuple[str, ...] = ()
    unit: Literal["bytes", "seconds", "ratio", "count"] = "count"

    @property
    def full_name(self) -> str:
        """What stands in queries."""
        return f"{PREFIX}{self.name}{'_total' if self.kind == 'counter' else ''}"
