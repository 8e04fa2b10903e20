"""Rehearsing a migration on a restored copy of the live database."""

from bounty_ops.migrating.rehearse.predicting import Predicted, compare_prediction
from bounty_ops.migrating.rehearse.ranking import strongest, worst_first
from bounty_ops.migrating.rehearse.rehearsing import rehearse

__all__ = ["Predicted", "compare_prediction", "rehearse", "strongest", "worst_first"]
