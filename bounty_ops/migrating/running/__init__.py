"""Carrying out one revision: every statement limited, watched, timed, and repeatable."""

from bounty_ops.migrating.running.blockers import Blocker
from bounty_ops.migrating.running.limits import Limits
from bounty_ops.migrating.running.observer import Observer, Underway

__all__ = ["Blocker", "Limits", "Observer", "Underway"]
