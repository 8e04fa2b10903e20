"""How many rows people ask for, by a name or by a number; decided purely."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Rows over all tables together: enough to click through, the size of a demonstration, and one at
#: which a missing index shows.
PROFILES: Final[Mapping[str, int]] = {"small": 2_000, "demo": 20_000, "load": 1_000_000}
DEFAULT_PROFILE: Final = "demo"


def choose_rows(
    profile: str | None = None, *, rows: int | None = None, scale: float | None = None
) -> int:
    """Return how many rows are meant: those of a profile times `scale`, or exactly `rows`.

    Raises:
        UsageError: there is no such profile, `scale` is no positive number, or `rows` is given
            together with one of the others.
    """
    if rows is not None:
        if profile is not None or scale is not None:
            raise UsageError(
                "a number of rows excludes a profile and a scale",
                hint="Give --rows alone, or --profile with --scale.",
            )
        return rows
    chosen = profile or DEFAULT_PROFILE
    if chosen not in PROFILES:
        raise UsageError(f"there is no profile {chosen}", hint=f"There are: {', '.join(PROFILES)}.")
    factor = 1.0 if scale is None else scale
    if not (math.isfinite(factor) and factor > 0):
        raise UsageError(
            f"data cannot be scaled by {factor:g}", hint="Give a positive number: --scale 0.5"
        )
    return round(PROFILES[chosen] * factor)
