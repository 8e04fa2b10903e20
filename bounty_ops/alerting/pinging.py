"""A dead-man's switch: a URL that is called after each proof, and complains when it is not.

An alert can only be sent by something that still runs. A service elsewhere that expects a call
every night notices when the machine, the scheduler or the network is gone. So it is called only
for what it stands for: a backup that a restore has proved, and that is not overdue by then.

The URL is a secret as a whole. Whatever happens here, the proof stands: nothing is raised.
"""

from __future__ import annotations

import base64
import logging
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException
from time import monotonic
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit, urlunsplit

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
_TRY_AGAIN_FROM: Final = 500
_TRY_AGAIN: Final = frozenset({408, 425, 429})


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


def ping(
    url: str,
    *,
    pauses: Sequence[float] = PAUSES_SECONDS,
    attempt_seconds: float = ATTEMPT_SECONDS,
    total_seconds: float = TOTAL_SECONDS,
) -> Pinged:
    """GET a URL until it answers 2xx, a few times, within a bounded time."""
    try:
        request = _request(url)
    except ValueError:
        return Pinged("it is not an http:// or https:// URL")
    call = _Call(request, pauses, attempt_seconds, monotonic() + total_seconds)
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
        request: urllib.request.Request,
        pauses: Sequence[float],
        attempt_seconds: float,
        deadline: float,
    ) -> None:
        self._request = request
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
            again, self.problem = _attempt(self._request, min(self._attempt_seconds, left))
            if not again:
                return


def _attempt(request: urllib.request.Request, seconds: float) -> tuple[bool, str | None]:
    """Whether another attempt could help, and what was wrong; only our own words are told."""
    try:
        with _opener().open(request, timeout=seconds):
            return False, None
    except urllib.error.HTTPError as error:
        error.close()
        again = error.code >= _TRY_AGAIN_FROM or error.code in _TRY_AGAIN
        return again, f"it answered {error.code}"
    except (urllib.error.URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return True, f"no answer within {seconds:.0f} s"
        told = reason.strerror if isinstance(reason, OSError) else None
        return True, f"it cannot be reached: {told or type(reason).__name__}"


def _opener() -> urllib.request.OpenerDirector:
    """HTTP, HTTPS and proxies; never `file:` or `ftp:`, wherever a redirect points."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _request(url: str) -> urllib.request.Request:
    """The request; a login in the URL becomes a header.

    Raises:
        ValueError: it is no URL that can be called.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not an HTTP URL")
    parts.port  # noqa: B018 - raises for what is no number
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
    request = urllib.request.Request(plain, headers={"User-Agent": "bounty-ops"})  # noqa: S310 - looked at above
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        encoded = base64.b64encode(login.encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {encoded}")
    return request


def _told(environment: Environment, pinged: Pinged) -> Pinged:
    if pinged.problem is not None:
        logger.warning("the ping of %s was %s", environment.name, pinged)
    return pinged
