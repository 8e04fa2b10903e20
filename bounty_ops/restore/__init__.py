"""Restoring a backup, and proving by it that the backup is one."""

from bounty_ops.restore.judge import Judgement, Observation, judge
from bounty_ops.restore.verify import verify_backup

__all__ = ["Judgement", "Observation", "judge", "verify_backup"]
