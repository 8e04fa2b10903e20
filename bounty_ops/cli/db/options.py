"""What an operator says to the gates: acknowledgements, and the reasons for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.errors import UsageError
from bounty_ops.journal.evidence import Acknowledgement

if TYPE_CHECKING:
    from collections.abc import Sequence


def acknowledgements(given: Sequence[str]) -> tuple[Acknowledgement, ...]:
    """Read each ``RULE=REASON``; raises UsageError where one of them is missing."""
    return tuple(_acknowledgement(one) for one in given)


def _acknowledgement(given: str) -> Acknowledgement:
    rule, _, reason = (part.strip() for part in given.partition("="))
    if not rule or not reason:
        raise UsageError(
            f"--acknowledge {given} does not say why",
            hint='Give the rule and the reason: --acknowledge RULE="the table is empty".',
        )
    return Acknowledgement(rule=rule, reason=reason)


def override_reason(given: str | None) -> str:
    """Return why gates are overridden; raises UsageError for an override without a reason."""
    if given is not None and not given.strip():
        raise UsageError(
            "--override needs a reason: it is recorded, and raises an alert",
            hint="Say what the emergency is, or leave --override away.",
        )
    return (given or "").strip()
