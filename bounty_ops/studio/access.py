"""What one studio may do: decided once, before anything is opened. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bounty_ops.environments import Environment


@dataclass(frozen=True)
class Access:
    """Whose database is shown to whom, and whether rows may be changed."""

    environment: str
    protected: bool
    may_edit: bool
    operator: str
    address: str
    """``host:port/database``."""

    @property
    def mode(self) -> str:
        """In words, for every page."""
        return "every edit is recorded" if self.may_edit else "read only"


def decide(environment: Environment, *, allow_edit: bool, read_only: bool, operator: str) -> Access:
    """Return what is allowed: editing where nothing is protected, or where it was asked for.

    Raises:
        ConfigurationError: the environment has no usable URL.
    """
    protected = environment.policy.protected
    return Access(
        environment=environment.name,
        protected=protected,
        may_edit=not read_only and (allow_edit or not protected),
        operator=operator,
        address=environment.require_url().address(),
    )
