"""A machine of one's own for pages that write below /etc, or name hosts that do not exist.

It is this machine with other files at a few places, seen only by what is started in it: a copy of
`/etc`, whose `hosts` names servers of a test, and an empty `/run`. With `alone` it has a network of
its own as well, in which every port is free and nobody else is reached.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYSTEM: Final = Path("/etc")
#: Where programs that a page starts as root leave something, and nothing may be left.
_EMPTY: Final = ("/run", "/var/log/nginx", "/var/lib/nginx")
_HOLD: Final = 'mount --rbind "$0/etc" /etc; {mounts}{network}echo ready; exec cat'
#: The authorities that everybody trusts.
PUBLIC: Final = "/etc/ssl/certs/ca-certificates.crt"


@dataclass
class Machine:
    """It lasts as long as the program that holds it."""

    etc: Path
    """Its /etc."""
    holder: int
    """A process of it."""
    enter: tuple[str, ...]
    """What a command begins with to run in it."""
    hosts: dict[str, str] = field(default_factory=dict)

    def name(self, host: str, address: str) -> None:
        """Let a host be known, at an address of the loopback."""
        self.hosts[host] = address
        with (self.etc / "hosts").open("a", encoding="utf-8") as file:
            file.write(f"{address} {host}\n")

    def place(self, path: str, content: bytes) -> None:
        """Put a file to where a page says that it is, below /etc; behind what is there."""
        there = self.etc / Path(path).relative_to(_SYSTEM)
        there.parent.mkdir(parents=True, exist_ok=True)
        with there.open("ab") as file:
            file.write(content)


@cache
def possible() -> bool:
    """Whether this system lets us have one."""
    done = subprocess.run(
        [*_unshared(alone=True), "true"], check=False, capture_output=True, stdin=subprocess.DEVNULL
    )
    return done.returncode == 0


def can_serve() -> bool:
    """Whether nginx can be started in one, which wants to become somebody else."""
    return possible() and _root() and all(map(shutil.which, ("nginx", "htpasswd", "curl")))


@contextmanager
def machine(place: Path, *, alone: bool = False) -> Iterator[Machine]:
    """Have one for the length of the block; its files are in `place`."""
    shutil.copytree(_SYSTEM, place / "etc", symlinks=True, ignore=_unreadable)
    mounts = ""
    for number, path in enumerate(_EMPTY):
        if Path(path).is_dir():
            (place / str(number)).mkdir()
            mounts += f'mount --bind "$0/{number}" {path}; '
    network = "ip link set lo up; " if alone else ""
    script = "set -e; " + _HOLD.format(mounts=mounts, network=network)
    with subprocess.Popen(
        [*_unshared(alone=alone), "sh", "-c", script, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        spaces = ["--mount", *(["--net"] if alone else []), *([] if _root() else ["--user"])]
        keep = [] if _root() else ["--preserve-credentials"]
        enter = ("nsenter", f"--target={holder.pid}", *spaces, *keep, "--wd=.", "--")
        yield Machine(place / "etc", holder.pid, enter)


def _root() -> bool:
    return os.geteuid() == 0


def _unshared(*, alone: bool) -> list[str]:
    user = [] if _root() else ["--user", "--map-root-user"]
    return ["unshare", "--mount", *user, *(["--net"] if alone else [])]


def _unreadable(directory: str, names: list[str]) -> list[str]:
    """Of a directory what we may not copy."""
    paths = {name: Path(directory) / name for name in names}
    return [
        name
        for name, path in paths.items()
        if not path.is_symlink()
        and not (os.access(path, os.R_OK) and (path.is_file() or path.is_dir()))
    ]
