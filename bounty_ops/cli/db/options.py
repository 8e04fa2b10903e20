"""What an operator says to the gates: acknowledgements, and the reason of an override."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.errors import UsageError
from bounty_ops.migrating.gate.acknowledging import acknowledgement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bounty_ops.journal.evidence import Acknowledgement


def acknowledgements(
    given: Sequence[str], hide: Callable[[str], str]
) -> tuple[Acknowledgement, ...]:
    """Read each ``RULE=REASON``; raises UsageError where one of them is missing."""
    return tuple(acknowledgement(hide(one)) for one in given)


def override_reason(given: str | None, hide: Callable[[str], str]) -> str:
    """Return why gates are overridden; raises UsageError for an override without a reason."""
    if given is not None and not given.strip():
        raise UsageError(
            "--override needs a reason: it is recorded, and raises an alert",
            hint="Say what the emergency is, or leave --override away.",
        )
    return hide((given or "").strip())
