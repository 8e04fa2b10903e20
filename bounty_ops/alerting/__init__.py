"""Telling people what is wrong: once for each thing, again when it is over."""

from bounty_ops.alerting.delivering import Delivered, deliver_pending
from bounty_ops.alerting.incidents import reconcile
from bounty_ops.alerting.keeping import Keeping, look_at_keeping
from bounty_ops.alerting.objectives import Recovery, SizeChange, recovery, size_change
from bounty_ops.alerting.pinging import Pinged, ping_after, ping_after_look
from bounty_ops.alerting.rules import evaluate
from bounty_ops.alerting.situation import (
    Evaluation,
    Finding,
    Rule,
    Severity,
    Situation,
    Undecided,
)
from bounty_ops.alerting.steps import Reconciled
from bounty_ops.alerting.watching import WatchResult, judge, watch

__all__ = [
    "Delivered",
    "Evaluation",
    "Finding",
    "Keeping",
    "Pinged",
    "Reconciled",
    "Recovery",
    "Rule",
    "Severity",
    "Situation",
    "SizeChange",
    "Undecided",
    "WatchResult",
    "deliver_pending",
    "evaluate",
    "judge",
    "look_at_keeping",
    "ping_after",
    "ping_after_look",
    "reconcile",
    "recovery",
    "size_change",
    "watch",
]
