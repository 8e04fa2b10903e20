"""The gates of a migration: what a protected environment asks for, and whether it is there."""

from bounty_ops.migrating.gate.assessing import Assessment, Prediction
from bounty_ops.migrating.gate.briefing import Briefing, brief
from bounty_ops.migrating.gate.gathering import gather
from bounty_ops.migrating.gate.permitting import permit, refused
from bounty_ops.migrating.gate.rules import gate, same_person
from bounty_ops.migrating.gate.values import FirstNow, Gate, GateFacts, Records

__all__ = [
    "Assessment",
    "Briefing",
    "FirstNow",
    "Gate",
    "GateFacts",
    "Prediction",
    "Records",
    "brief",
    "gate",
    "gather",
    "permit",
    "refused",
    "same_person",
]
