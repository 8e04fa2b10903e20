"""What a migration may rest on: copied word for word into its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bounty_ops.journal.evidence import Acknowledgement, Override


@dataclass(frozen=True)
class Permit:
    """Why a plan may be carried out.

    The runner does not judge it: whoever made it has asked the gates. An empty one is that of a
    database that no gate protects.
    """

    reason: str = ""
    """Why, in the operator's words."""
    backup_id: str | None = None
    """The proved backup that the gate accepted."""
    rehearsal_id: str | None = None
    approvals: tuple[str, ...] = ()
    """Who approved the digest besides the operator."""
    acknowledged: tuple[Acknowledgement, ...] = ()
    override: Override | None = None
    predicted_seconds: float | None = None
    """What the rehearsal predicted for the whole."""
