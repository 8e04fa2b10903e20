"""How long a statement of a migration may wait and run, and how often it may be tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from bounty_ops.environments import Policy
    from bounty_ops.migrating.running.statement import Statement


@dataclass(frozen=True)
class Limits:
    """The limits of one environment's policy; times in seconds."""

    lock_timeout_seconds: float = 5.0
    attempts: int = 5
    statement_timeout_seconds: float = 60.0
    """For statements that stop others."""
    long_statement_timeout_seconds: float = 14_400.0
    """For those that stop nobody."""

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """Return what an environment's owner decided."""
        return cls(
            lock_timeout_seconds=policy.lock_timeout_seconds,
            attempts=policy.lock_attempts,
            statement_timeout_seconds=policy.statement_timeout_seconds,
            long_statement_timeout_seconds=policy.long_statement_timeout_seconds,
        )

    def timeouts(self, statement: Statement, *, online: bool) -> tuple[float, float]:
        """Return the ``lock_timeout`` and the ``statement_timeout`` of one statement.

        Neither is ever without end. The builders of indexes wait for old transactions after much
        of the work is done, and what they hold meanwhile stops neither readers nor writers: a
        short lock_timeout would throw hours of work away to protect nobody.
        """
        running = self.long_statement_timeout_seconds if online else self.statement_timeout_seconds
        return running if statement.patient else self.lock_timeout_seconds, running
