"""Telling people what is wrong: once for each thing, again when it is over."""

from bounty_ops.alerting.delivering import Delivered, deliver_pending
from bounty_ops.alerting.incidents import Reconciled, reconcile
from bounty_ops.alerting.keeping import Keeping, look_at_keeping
from bounty_ops.alerting.objectives import Recovery, SizeChange, recovery, size_change
from bounty_ops.alerting.pinging import Pinged, ping_after
from bounty_ops.alerting.rules import evaluate
from bounty_ops.alerting.situation import Evaluation, Finding, Rule, Severity, Situation
from bounty_ops.alerting.watching import WatchResult, watch

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
    "WatchResult",
    "deliver_pending",
    "evaluate",
    "look_at_keeping",
    "ping_after",
    "reconcile",
    "recovery",
    "size_change",
    "watch",
]
