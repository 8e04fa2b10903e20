"""Where every environment stands: databases, bucket and operations database, asked side by side."""

from bounty_ops.standing.looking import standings
from bounty_ops.standing.model import (
    DriftSeen,
    LastBackup,
    LastProof,
    OpenIncidents,
    Standing,
)

__all__ = [
    "DriftSeen",
    "LastBackup",
    "LastProof",
    "OpenIncidents",
    "Standing",
    "standings",
]
