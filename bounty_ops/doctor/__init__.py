"""Named checks: what could go wrong, why, and what to do about it."""

from bounty_ops.doctor.examine import examine
from bounty_ops.doctor.result import CheckResult, State

__all__ = ["CheckResult", "State", "examine"]
