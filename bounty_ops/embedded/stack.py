"""The local stack: databases, bucket and, if asked for, Dagster, until somebody ends it."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from bounty_ops.embedded import dagster_home, server_log
from bounty_ops.embedded.dagster_pieces import CODE, WEBSERVER, Pieces
from bounty_ops.embedded.databases import Databases
from bounty_ops.embedded.disk import writing_to
from bounty_ops.embedded.locks import FileLock
from bounty_ops.embedded.stand_ins import Needs, complete, let_go
from bounty_ops.embedded.state import State
from bounty_ops.embedded.throwaway import sweep_leftovers
from bounty_ops.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from bounty_ops.embedded.sharing import Use
    from bounty_ops.environments import Settings

_POLL_SECONDS: Final = 0.2
_LOCK: Final = "up.lock"
_INFO: Final = "up.json"
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclasses.dataclass(frozen=True)
class StackInfo:
    """A stack that runs, as others see it."""

    pid: int
    ui_url: str | None


@dataclasses.dataclass(frozen=True)
class Stack:
    """A stack that runs, as its owner sees it."""

    settings: Settings
    """With the addresses of the embedded servers filled in."""
    ui_url: str | None
    state: State
    uses: tuple[Use, ...]

    def wait(self) -> None:
        """Return when somebody asks for the end of it (Ctrl-C, SIGTERM).

        Raises:
            EmbeddedError: one of the servers has ended by itself.
        """
        with suppress(KeyboardInterrupt):
            while True:
                self.check()
                time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """See that all servers run.

        Raises:
            EmbeddedError: one has ended; says why.
        """
        for use in self.uses:
            if use.service.failed():
                name = use.service.name
                log = self.state.logs / f"{name}.log"
                raise server_log.why(name, log, directory=self.state.root)


def running_stack(settings: Settings) -> StackInfo | None:
    """The stack that somebody runs with this state directory, if any."""
    run = State(settings.state_dir).run
    if not (run / _LOCK).exists():
        return None
    with FileLock(run / _LOCK) as lock:
        return None if lock.try_lock(exclusive=False) else _info(State(settings.state_dir))


def _info(state: State) -> StackInfo:
    try:
        found = json.loads((state.run / _INFO).read_text(encoding="utf-8"))
        return StackInfo(found["pid"], found["ui_url"])
    except (OSError, ValueError, KeyError):
        return StackInfo(0, None)  # it has only just begun


@contextmanager
def start_stack(
    settings: Settings, *, dagster: bool, say: Callable[[str], None]
) -> Iterator[Stack]:
    """Run the stack for the length of the block.

    Ctrl-C, SIGTERM and SIGHUP arrive in the block as KeyboardInterrupt, also where SIGINT was
    ignored, as in a background job of a shell. Leaving the block stops everything.

    Args:
        settings: what is set; embedded servers stand in for the rest.
        dagster: whether Dagster's processes are started too.
        say: is told what happens, a line at a time.

    Raises:
        EmbeddedError: a stack runs already, or a server cannot be started.
    """
    state = State(settings.state_dir)
    state.prepare()
    with ExitStack() as stack:
        lock = stack.enter_context(FileLock(state.run / _LOCK))
        if not lock.try_lock(exclusive=True):
            raise _already(_info(state))
        _tell(state, None)
        stack.enter_context(_ending_signals())
        sweep_leftovers(state.root / "work")
        needs = Needs.of(settings, database=True, ops=True, bucket=True)
        uses: list[Use] = []
        say("starting " + " and ".join(_names(needs, dagster=dagster)))
        completed = complete(settings, needs, stack, say, uses=uses)
        ui_url = None
        if dagster:
            pieces = _pieces(settings, completed, needs, state, say)
            ui_url = pieces.ui_url
            started = pieces.uses()
            # Side by side, which saves seconds. In their logs, daemon and webserver complain that
            # the code server is not there yet; they look again.
            uses.extend(stack.enter_context(use) for use in started)
            # Daemon, webserver and code server stop side by side, and before their storage.
            stack.callback(let_go, started)
            for use in started:
                use.ready()
        _tell(state, ui_url)
        yield Stack(completed, ui_url, state, tuple(uses))
        say("stopping")


def run_stack(settings: Settings, say: Callable[[str], None]) -> None:
    """Run the whole stack with Dagster until Ctrl-C or SIGTERM: what `bounty-ops up` does.

    Raises:
        EmbeddedError: it cannot be started, or one of its servers ended by itself.
    """
    with suppress(KeyboardInterrupt), start_stack(settings, dagster=True, say=say) as stack:
        say(f"Dagster's UI: {stack.ui_url}  (Ctrl-C stops everything)")
        stack.wait()


def _names(needs: Needs, *, dagster: bool) -> list[str]:
    candidates = {"PostgreSQL": needs.postgres or dagster, "S3": needs.bucket, "Dagster": dagster}
    return [name for name, wanted in candidates.items() if wanted]


def _pieces(
    settings: Settings, completed: Settings, needs: Needs, state: State, say: Callable[[str], None]
) -> Pieces:
    if needs.ops:
        storage = Databases(state, state.secrets()).url("dagster")
    else:
        storage = completed.require_ops_url()
    ports = state.ports([CODE, WEBSERVER], say=say)
    parameters = dagster_home.storage_parameters(storage, embedded=needs.ops)
    dagster_home.write(state.dagster, settings, code_port=ports[CODE], storage=parameters)
    environment = dagster_home.variables(
        settings, completed, needs, home=state.dagster, storage=storage
    )
    return Pieces(state, settings.project_dir, ports[CODE], ports[WEBSERVER], environment)


def _tell(state: State, ui_url: str | None) -> None:
    info = StackInfo(os.getpid(), ui_url)
    with writing_to(state.run):
        (state.run / _INFO).write_text(json.dumps(dataclasses.asdict(info)), encoding="utf-8")


def _already(info: StackInfo) -> EmbeddedError:
    where = f", its UI is at {info.ui_url}" if info.ui_url else ""
    return EmbeddedError(
        f"the stack runs already (pid {info.pid}{where})",
        hint=f"Use that one, or stop it: Ctrl-C in its terminal, or kill {info.pid}",
    )


@contextmanager
def _ending_signals() -> Iterator[None]:
    """Have the first request to end raise KeyboardInterrupt, and the following ones do nothing.

    The stop takes seconds; an impatient second Ctrl-C must not break it off half-way. The servers
    would stop all the same, but nobody would wait for them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's own form
        asked.append(number)
        if len(asked) == 1:
            raise KeyboardInterrupt

    before = {ending: signal.signal(ending, ask) for ending in _ENDING}
    try:
        yield
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)
