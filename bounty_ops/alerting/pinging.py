"""Dead-man's switches: URLs that are called when all is well, and complain when they are not.

An alert can only be sent by something that still runs. A service elsewhere that expects a call
every night notices when the machine, the scheduler or the network is gone. So it is called only
for what it stands for: a backup that a restore has proved, and that is not overdue by then; or,
at a URL of its own, a look of the watcher.

The URL is a secret as a whole. Whatever happens here, the proof stands: nothing is raised.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.http_call import Target, get
from bounty_ops.journal.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bounty_ops.environments import Environment
    from bounty_ops.journal.records import Manifest, Proof

logger = logging.getLogger(__name__)

#: Before each attempt; a service that restarts is back by the last one.
PAUSES_SECONDS: Final = (0.0, 1.0, 4.0)
ATTEMPT_SECONDS: Final = 8.0
#: For all of it, name resolution included: a run must not hang on a dead switch.
TOTAL_SECONDS: Final = 30.0
LOOK_PAUSES_SECONDS: Final = (0.0, 0.5)
LOOK_ATTEMPT_SECONDS: Final = 2.0
LOOK_TOTAL_SECONDS: Final = 4.0


@dataclass(frozen=True)
class Pinged:
    """Whether the switch was fed; `problem` says why not, fit to be shown."""

    problem: str | None = None

    def __str__(self) -> str:
        return "called" if self.problem is None else f"not called: {self.problem}"


def ping_after(
    environment: Environment, manifest: Manifest, proof: Proof, *, now: datetime
) -> Pinged | None:
    """Call the environment's URL if this proof is news of a sound backup; None if it has none.

    A proof of an old backup is not: whoever verifies last month's would keep the switch quiet while
    no new backup is taken.
    """
    policy = environment.policy
    if policy.ping is None:
        return None
    if proof.verdict is not Verdict.PROVED:
        return Pinged(f"the verdict is {proof.verdict.value}")
    if now - manifest.taken_at > timedelta(hours=policy.proof_max_age_hours):
        return Pinged(f"the backup is older than {policy.proof_max_age_hours:g} h")
    if environment.ping_url is None:
        return _told(environment, Pinged(f"{policy.ping}, which the policy names, is not set"))
    return _told(environment, ping(environment.ping_url))


def ping_after_look(environment: Environment, *, unheard_since: datetime | None) -> Pinged | None:
    """Call the watcher's own URL after a look that was stored; None if it has none.

    Not while what people should hear reaches nobody: a watcher that sees everything and cannot
    tell anyone is as good as none, and somebody else has to say so.

    Args:
        environment: that was looked at.
        unheard_since: since when messages wait and no channel has taken any.
    """
    variable = environment.policy.watch_ping
    if variable is None:
        return None
    if unheard_since is not None:
        return _told(
            environment, Pinged(f"no channel takes messages since {unheard_since:%H:%M} UTC")
        )
    if environment.watch_ping_url is None:
        return _told(environment, Pinged(f"{variable}, which the policy names, is not set"))
    # One look follows another in a minute: there is no need to try hard, and no time.
    return _told(
        environment,
        ping(
            environment.watch_ping_url,
            pauses=LOOK_PAUSES_SECONDS,
            attempt_seconds=LOOK_ATTEMPT_SECONDS,
            total_seconds=LOOK_TOTAL_SECONDS,
        ),
    )


def ping(
    url: str,
    *,
    pauses: Sequence[float] = PAUSES_SECONDS,
    attempt_seconds: float = ATTEMPT_SECONDS,
    total_seconds: float = TOTAL_SECONDS,
) -> Pinged:
    """GET a URL until it answers 2xx, a few times, within a bounded time."""
    try:
        target = Target.parse(url)
    except ValueError:
        return Pinged("it is not an http:// or https:// URL")
    call = _Call(target, pauses, attempt_seconds, monotonic() + total_seconds)
    # A thread, because nothing bounds how long a name server or a dripping answer may take.
    thread = threading.Thread(target=call.run, name="bounty-ops-ping", daemon=True)
    thread.start()
    if not call.ended.wait(total_seconds):
        call.given_up.set()
        return Pinged(f"no answer within {total_seconds:g} s")
    return Pinged(call.problem)


class _Call:
    def __init__(
        self,
        target: Target,
        pauses: Sequence[float],
        attempt_seconds: float,
        deadline: float,
    ) -> None:
        self._target = target
        self._pauses = pauses
        self._attempt_seconds = attempt_seconds
        self._deadline = deadline
        self.problem: str | None = "it was not tried"
        self.given_up = threading.Event()
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            self._attempts()
        except Exception as error:  # noqa: BLE001 - a proof must not fail for its switch
            self.problem = f"unexpected {type(error).__name__}"
        finally:
            self.ended.set()

    def _attempts(self) -> None:
        for pause in self._pauses:
            if self.given_up.wait(pause):
                return
            left = self._deadline - monotonic()
            if left <= 0:
                return
            answer = get(self._target, seconds=min(self._attempt_seconds, left))
            self.problem = answer.problem
            if not answer.again:
                return


def _told(environment: Environment, pinged: Pinged) -> Pinged:
    if pinged.problem is not None:
        logger.warning("the ping of %s was %s", environment.name, pinged)
    return pinged
