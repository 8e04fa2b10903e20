"""A machine that has this project's commit, Python, make, and nothing else of it.

As root it is a mount namespace: another user, who has a home and a `/tmp` of his own, an
environment without a variable of ours, and neither this checkout nor the home of whoever runs the
tests. Packages come from the index that pip is configured with for the whole machine. Where that
cannot be had (no root, no namespaces), home and environment are new and the user is not.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops_tests.docs.pages import ROOT
from bounty_ops_tests.embedded.observing import processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Keeps the machine there, with what is installed on it, for the next run.
KEPT: Final = "BOUNTY_OPS_FRESH_MACHINE"
NAME: Final = "newcomer"
PROJECT: Final = "bounty-ops"
#: A Python of the system is found there; the one that runs the tests may belong to somebody else.
_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_GRACE_SECONDS: Final = 60
_ENTER: Final = """
mkdir -p /home
mount -t tmpfs -o mode=755 tmpfs /home
mkdir /home/newcomer
mount --bind "$PLACE/home" /home/newcomer
mount --bind "$PLACE/passwd" /etc/passwd
mount --bind "$PLACE/tmp" /tmp
for hidden in "$CHECKOUT" "$TESTER"; do
    if [ -d "$hidden" ]; then mount -t tmpfs -o mode=000 tmpfs "$hidden"; fi
done
cd "$INSIDE"
exec setpriv --reuid="$ID" --regid="$ID" --clear-groups -- "$@"
"""
#: Whoever runs tests in the background has Ctrl-C ignored; in a terminal it is not.
_EMPTY: Final = ("/usr/bin/env", "--default-signal=INT", "-i")
_NAMESPACE: Final = ("unshare", "--mount", "--propagation", "private", "--")


@dataclass(frozen=True)
class FreshMachine:
    """Where it is, and how somebody sits down at it."""

    place: Path
    own: bool
    """Whether it has a user and a root of its own."""
    user: int

    @property
    def home(self) -> Path:
        """The newcomer's, as seen from outside."""
        return self.place / "home"

    @property
    def project(self) -> Path:
        """The checkout, as seen from outside."""
        return self.home / PROJECT

    @property
    def shown_project(self) -> str:
        """The checkout, as the newcomer sees it."""
        return f"/home/{NAME}/{PROJECT}" if self.own else str(self.project)

    def argv(self, script: str) -> list[str]:
        """A shell of the newcomer's, in the checkout, that does this and nothing afterwards."""
        shell = ["/bin/bash", "--norc", "-c", script]
        if not self.own:
            return [*_EMPTY, "-C", str(self.project), *_variables(self.home), *shell]
        settings = {
            "PLACE": self.place, "CHECKOUT": ROOT, "TESTER": Path.home(), "ID": self.user,
            "INSIDE": self.shown_project, "PATH": os.defpath,
        }  # fmt: skip
        return [
            *_EMPTY, *(f"{name}={value}" for name, value in settings.items()),
            *_NAMESPACE, "/bin/sh", "-euc", _ENTER, "enter",
            *_EMPTY, *_variables(Path("/home") / NAME), *shell,
        ]  # fmt: skip

    def start(self, script: str, said: Path) -> subprocess.Popen[bytes]:
        """A terminal in which something runs; `interrupt` is Ctrl-C in it."""
        with said.open("wb") as out:
            return subprocess.Popen(
                self.argv(script), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip

    def run(self, script: str, timeout: float) -> subprocess.CompletedProcess[str]:
        """Do it, and wait for its end."""
        return subprocess.run(
            self.argv(script), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip

    def processes(self) -> list[int]:
        """Whatever runs there."""
        if not self.own:
            return processes_of(self.place)
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and entry.stat().st_uid == self.user:
                    found.append(int(entry.name))
        return found

    def forget(self) -> None:
        """Make the checkout what it was when it was cloned, but for what is installed."""
        for command in (["clean", "-qxdff", "-e", ".venv"], ["checkout", "-q", "."]):
            _git("-C", str(self.project), *command)
        (self.home / ".exported").unlink(missing_ok=True)
        self._hand_over()

    def secrets(self) -> tuple[str, ...]:
        """Of the embedded servers, where they have run."""
        path = self.project / ".bounty-ops" / "secrets.json"
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        public = {"identity", "s3_access_key_id"}
        return tuple(value for name, value in found.items() if name not in public)

    def prepare(self) -> None:
        """Make the user's home, with the newest commit of this checkout in it."""
        for directory in (self.home, self.place / "tmp"):
            directory.mkdir(parents=True, exist_ok=True)
        people = Path("/etc/passwd").read_text(encoding="utf-8").splitlines()
        others = [line for line in people if not line.startswith(f"{NAME}:")]
        mine = f"{NAME}:x:{self.user}:{self.user}::/home/{NAME}:/bin/bash"
        (self.place / "passwd").write_text("\n".join([*others, mine, ""]), encoding="utf-8")
        if not self.project.exists():
            _git("clone", "-q", "--no-local", str(ROOT), str(self.project))
        else:
            _git("-C", str(self.project), "pull", "-q", "--ff-only", str(ROOT))
        (self.place / "tmp").chmod(0o1777)
        self._hand_over()

    def _hand_over(self) -> None:
        """Let everything be the newcomer's, but for `.venv`, which the newcomer has made."""
        if self.own:
            ours = [each for each in self.project.iterdir() if each.name != ".venv"]
            subprocess.run(
                ["/bin/chown", "-hR", f"{self.user}:{self.user}", *map(str, ours)], check=True
            )
            for directory in (self.home, self.project):
                os.chown(directory, self.user, self.user)


@contextmanager
def fresh_machine() -> Iterator[FreshMachine]:
    """A machine to sit down at; with it ends everything that still runs there."""
    kept = os.environ.get(KEPT)
    place = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="bounty-fresh-"))
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o755)
    machine = FreshMachine(place, own=_namespaces_work(), user=os.geteuid())
    if machine.own:
        # Nobody has this number; it is told apart from other machines by the place.
        machine = replace(machine, user=30_000 + place.stat().st_ino % 20_000)
    machine.prepare()
    try:
        yield machine
    finally:
        for pid in machine.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not kept:
            shutil.rmtree(place, ignore_errors=True)


def interrupt(terminal: subprocess.Popen[bytes]) -> int:
    """Ctrl-C, to everything that runs in the terminal; what that ended with."""
    os.killpg(terminal.pid, signal.SIGINT)
    return terminal.wait(_GRACE_SECONDS)


def none_left(machine: FreshMachine) -> list[str]:
    """What still runs a while after it should have ended."""
    give_up = time.monotonic() + _GRACE_SECONDS
    while (left := machine.processes()) and time.monotonic() < give_up:
        time.sleep(0.2)
    lines = []
    for pid in left:
        with suppress(OSError):
            lines.append(Path(f"/proc/{pid}/cmdline").read_text("utf-8").replace("\0", " "))
    return lines


def _variables(home: Path) -> list[str]:
    return [
        f"HOME={home}", f"PATH={_PATH}", "LANG=C.UTF-8", "SHELL=/bin/bash", "COLUMNS=100",
        f"USER={NAME if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name}",
    ]  # fmt: skip


def _namespaces_work() -> bool:
    """Whether a root of its own can be made: as root, where mounting is not forbidden."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None or shutil.which("unshare") is None:
        return False
    tried = subprocess.run(
        [*_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/home"], capture_output=True, check=False
    )
    return tried.returncode == 0


def _git(*words: str) -> None:
    subprocess.run(["/usr/bin/env", "git", "-c", "safe.directory=*", *words], check=True)
