"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bounty_ops.errors import BountyOpsError

if TYPE_CHECKING:
    from collections.abc import Callable


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """It works, but something should be looked at."""
    FAILED = "failed"
    """An operation that needs this cannot be carried out."""
    UNKNOWN = "unknown"
    """It could not be found out; that is neither good nor bad."""


@dataclass(frozen=True)
class CheckResult:
    """The answer of one named check; whatever is not `ok` has a remedy."""

    name: str
    subject: str
    """What was examined: an environment, the bucket, this machine."""
    state: State
    cause: str
    """What was found, in one line."""
    remedy: str | None = None


def ok(name: str, subject: str, cause: str) -> CheckResult:
    """Nothing to do."""
    return CheckResult(name, subject, State.OK, cause)


def failed(name: str, subject: str, error: BountyOpsError) -> CheckResult:
    """An error of ours, as a finding."""
    return CheckResult(name, subject, State.FAILED, str(error), error.hint)


def guarded(name: str, subject: str, check: Callable[[], CheckResult]) -> CheckResult:
    """The check's answer, or the error of ours that it met as a failure."""
    try:
        return check()
    except BountyOpsError as error:
        return failed(name, subject, error)
