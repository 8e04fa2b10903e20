"""Dagster's three processes: one code server, which daemon and webserver share."""

from __future__ import annotations

import socket
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bounty_ops.embedded import dagster_home, server_log
from bounty_ops.embedded.disk import writing_to
from bounty_ops.embedded.keeping import Program
from bounty_ops.embedded.ports import LOOPBACK
from bounty_ops.embedded.processes import wait_until
from bounty_ops.embedded.sharing import Use
from bounty_ops.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bounty_ops.embedded.keeping import Kept
    from bounty_ops.embedded.state import State

CODE: Final = "dagster-code"
DAEMON: Final = "dagster-daemon"
WEBSERVER: Final = "dagster-webserver"
#: A cold start on a busy machine compiles and loads some 500 MB of Python.
_READY_SECONDS: Final = 180.0
#: Within the ten seconds in which the whole stack has to be gone; runs in progress are
#: cancelled in it.
_GRACE_SECONDS: Final = 4.0


@dataclass(frozen=True)
class Pieces:
    """How to start each of them."""

    state: State
    project: Path
    code_port: int
    ui_port: int
    environment: Mapping[str, str] = field(repr=False)

    @property
    def ui_url(self) -> str:
        """Where people look at it."""
        return f"http://{LOOPBACK}:{self.ui_port}"

    def uses(self) -> list[Use]:
        """All three, in the order in which they are started."""
        workspace = str(dagster_home.workspace_file(self.state.dagster))
        code = [
            "dagster", "code-server", "start", "--module-name", dagster_home.MODULE,
            "--location-name", dagster_home.LOCATION,
            "--host", LOOPBACK, "--port", str(self.code_port),
        ]  # fmt: skip
        daemon = ["dagster._daemon", "run", "--workspace", workspace]
        webserver = [
            "dagster_webserver", "--host", LOOPBACK, "--port", str(self.ui_port),
            "--workspace", workspace,
        ]  # fmt: skip
        return [
            self._use(CODE, code, lambda: _listens(self.code_port)),
            self._use(DAEMON, daemon, lambda: True),
            self._use(WEBSERVER, webserver, self._ui_answers),
        ]

    def _use(self, name: str, arguments: list[str], answers: Callable[[], bool]) -> Use:
        log = self.state.logs / f"{name}.log"

        def prepare() -> Program:
            with writing_to(log.parent):
                server_log.rotate(log)
            return Program(
                argv=(sys.executable, "-m", *arguments),
                log=log,
                environment=self.environment,
                become=("--directory", str(self.project)),
                grace_seconds=_GRACE_SECONDS,
            )

        def wait_ready(kept: Kept) -> None:
            if not wait_until(lambda: kept.failed() or answers(), _READY_SECONDS):
                raise EmbeddedError(
                    f"{name} has not become ready within {_READY_SECONDS:.0f} s",
                    hint=f"Its log is {log}.",
                )
            if kept.failed():
                raise server_log.why(name, log, directory=self.state.root)

        return Use(self.state.run, name, prepare=prepare, wait_ready=wait_ready)

    def _ui_answers(self) -> bool:
        # Proxies of the environment must not be asked about our own loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.ui_url}/server_info", timeout=5):
                return True
        except (OSError, urllib.error.HTTPError):
            return False


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False
