"""What an operator says to the linter: I have read it, and it does no harm here, because ..."""

from __future__ import annotations

from bounty_ops.errors import UsageError
from bounty_ops.journal.evidence import Acknowledgement


def acknowledgement(given: str) -> Acknowledgement:
    """Read ``RULE=REASON``.

    Raises UsageError where one of the two is missing: a rule that is waved through without a
    reason cannot be judged by whoever reads the record.
    """
    rule, _, reason = (part.strip() for part in given.partition("="))
    if not rule or not reason:
        raise UsageError(
            f"the acknowledgement {given!r} does not say why",
            hint="Write it as RULE=REASON, such as some-rule=the table is empty.",
        )
    return Acknowledgement(rule=rule, reason=reason)
