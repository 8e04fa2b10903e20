"""Backing up one database: plan, carry out, record."""

from bounty_ops.backup.plan import BackupPlan, plan_backup
from bounty_ops.backup.take import take_backup

__all__ = ["BackupPlan", "plan_backup", "take_backup"]
