"""The gates of a migration: what a protected environment asks for, and whether it is there."""

from bounty_ops.migrating.gate.permitting import permit, refused
from bounty_ops.migrating.gate.rules import gate, same_person
from bounty_ops.migrating.gate.values import FirstNow, Gate, GateFacts, Records

__all__ = [
    "FirstNow",
    "Gate",
    "GateFacts",
    "Records",
    "gate",
    "permit",
    "refused",
    "same_person",
]
