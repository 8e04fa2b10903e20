"""Telling people what is wrong: once for each thing, again when it is over."""

from bounty_ops.alerting.delivering import Delivered, deliver_pending
from bounty_ops.alerting.incidents import Reconciled, reconcile
from bounty_ops.alerting.rules import Evaluation, Finding, Rule, Severity, Situation, evaluate
from bounty_ops.alerting.watching import WatchResult, watch

__all__ = [
    "Delivered",
    "Evaluation",
    "Finding",
    "Reconciled",
    "Rule",
    "Severity",
    "Situation",
    "WatchResult",
    "deliver_pending",
    "evaluate",
    "reconcile",
    "watch",
]
