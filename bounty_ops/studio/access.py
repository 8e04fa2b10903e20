"""What one studio may do: decided once, before anything is opened. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounty_ops.errors import UsageError

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
    shows_secrets: bool = False
    """Whether tokens, hashes of passwords and the like are shown."""

    @property
    def mode(self) -> str:
        """In words, for every page."""
        edits = "every edit is recorded" if self.may_edit else "read only"
        return f"{edits}, SECRETS ARE SHOWN" if self.shows_secrets else edits


def decide(
    environment: Environment,
    *,
    allow_edit: bool,
    read_only: bool,
    show_secrets: bool,
    operator: str,
) -> Access:
    """Return what is allowed: editing where nothing is protected, or where it was asked for.

    Raises:
        ConfigurationError: the environment has no usable URL.
        UsageError: secrets of a protected environment are not shown.
    """
    protected = environment.policy.protected
    require_hidden(environment, show_secrets=show_secrets)
    return Access(
        environment=environment.name,
        protected=protected,
        may_edit=not read_only and (allow_edit or not protected),
        operator=operator,
        address=environment.require_url().address(),
        shows_secrets=show_secrets,
    )


def require_hidden(environment: Environment, *, show_secrets: bool) -> None:
    """Refuse to show secrets where the environment is protected.

    Raises:
        UsageError: it is.
    """
    if show_secrets and environment.policy.protected:
        raise UsageError(
            f"{environment.name} is protected: its secrets are not shown",
            hint="Leave --show-secrets out; whether there is a value can be seen without it. Who "
            "needs the value itself asks the database with a role that may read it.",
        )
