"""Runners as processes of their own, which tell what they do and can be killed."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import time
from typing import TYPE_CHECKING, Any, Self

from bounty_ops.migrating import apply_migration
from bounty_ops.migrating import lock as locking
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.running import Observer
from bounty_ops_tests.migrating.lines import environment

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.evidence import StatementRecord
    from bounty_ops.migrating import MigrationPlan
    from bounty_ops.migrating.running import Underway

#: A process that has everything imported and makes copies of itself.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])
LONGEST_SECONDS = 120.0


class _Tells(Observer):
    def __init__(self, end: Connection[Any, Any]) -> None:
        self._end = end

    def began(self, statement: Underway) -> None:
        self._end.send(("began", statement.revision, statement.number, statement.pid))

    def ended(self, statement: Underway, record: StatementRecord) -> None:
        del record
        self._end.send(("ended", statement.revision, statement.number, statement.pid))


@dataclasses.dataclass(frozen=True)
class _Errand:
    url: DatabaseUrl
    directory: Path
    plan: MigrationPlan
    policy: dict[str, object]
    silence_seconds: float | None


def _run(errand: _Errand, end: Connection[Any, Any]) -> None:
    if errand.silence_seconds is not None:
        locking.SILENCE_SECONDS = errand.silence_seconds  # type: ignore[misc] # in this process only
        locking.HEARTBEAT_SECONDS = errand.silence_seconds / 4  # type: ignore[misc] # same
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        evidence = apply_migration(
            errand.plan,
            environment(errand.url, **errand.policy),
            operator="runner",
            lineage=dataclasses.replace(BOUNTY, location=errand.directory),
            observer=_Tells(end),
        )
        end.send(("finished", evidence.outcome, 0, 0))
    except BaseException as error:  # noqa: BLE001 - the test decides what it means
        end.send(("failed", f"{type(error).__name__}: {error}", 0, 0))


class Runner:
    """One process that carries a plan out."""

    def __init__(
        self,
        url: DatabaseUrl,
        directory: Path,
        plan: MigrationPlan,
        policy: dict[str, object],
        *,
        silence_seconds: float | None = None,
    ) -> None:
        self._end, other = _CONTEXT.Pipe(duplex=False)
        errand = _Errand(url, directory, plan, policy, silence_seconds)
        self._process = _CONTEXT.Process(target=_run, args=(errand, other), daemon=True)
        self._process.start()
        other.close()
        self._heard_all = False
        self.outcome: str | None = None
        """What came of it; None: it was killed before it could say."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._end.close()

    def next(self, seconds: float = LONGEST_SECONDS) -> tuple[str, str, int, int] | None:
        """Wait for what it tells next; None: it has ended, or tells nothing for so long."""
        try:
            if self._end.poll(seconds):
                told: tuple[str, str, int, int] = self._end.recv()
                if told[0] in {"finished", "failed"}:
                    self.outcome = told[1]
                return told
        except (EOFError, OSError):
            self._heard_all = True
        return None

    def kill(self) -> None:
        """End it as kill -9 does."""
        if self._process.pid is not None and self._process.is_alive():
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()

    def wait(self) -> str | None:
        """Wait for its end; what it tells until then is passed over."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while self.outcome is None and not self._heard_all and time.monotonic() < deadline:
            self.next(1)
        self._process.join(LONGEST_SECONDS)
        assert not self._process.is_alive()
        return self.outcome
