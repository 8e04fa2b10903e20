"""As whom the database server runs. PostgreSQL refuses root, and initdb a uid without a name.

=========== ============================================================ =======================
``same``    we are an ordinary user with a name: nothing to do
``namespace`` a user namespace in which we look like ``nobody``; files    preferred: no chown, works
            stay ours                                                    below a 0700 home
``switch``  really another user, with data and programs where it can     where namespaces are
            reach them                                                   forbidden (many containers)
=========== ============================================================ =======================

``BOUNTY_OPS_SERVER_USER`` forces one of the three.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ConfigurationError, EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIABLE: Final = "BOUNTY_OPS_SERVER_USER"
_STRATEGIES: Final = ("same", "namespace", "switch")
_BECOME: Final = Path(__file__).with_name("become.py")
#: Where an unprivileged user reaches what lies behind a 0700 directory otherwise. Not /tmp,
#: which is memory on some systems and emptied at boot on others.
_PUBLIC: Final = Path("/var/tmp")  # noqa: S108 - only directories with mode 0700 are made there
_PREFIX: Final = "bounty-ops-"
_ORIGIN: Final = "origin"
_SEARCH: Final = 0o001


@dataclass(frozen=True)
class ServerUser:
    """The user that the server runs as, and how it becomes it."""

    strategy: str
    uid: int
    gid: int

    def become(self) -> tuple[str, ...]:
        """Arguments of ``become.py``."""
        ids = f"{self.uid}:{self.gid}"
        if self.strategy == "same":
            return ()
        return ("--map-to" if self.strategy == "namespace" else "--switch-to", ids)

    def command(self, arguments: Sequence[str]) -> list[str]:
        """An argv that runs a short-lived program as this user."""
        return [sys.executable, "-I", "-S", str(_BECOME), *self.become(), "--", *arguments]

    def place(self, wanted: Path, *, generation: str = "") -> Path:
        """A directory of this user for data that should be at `wanted`; made if missing.

        Args:
            wanted: where it should be, and is unless this user could not reach it.
            generation: with another one, the data of the former is not found again.
        """
        place = wanted
        if self.strategy == "switch":
            name = f"{wanted.resolve()} {generation}".encode()
            place = _PUBLIC / f"{_PREFIX}{hashlib.sha256(name).hexdigest()[:16]}"
        _own_directory(place, wanted, self)
        return place

    def programs_directory(self, directory: Path) -> Path:
        """Where this user finds the programs of `directory` (``<prefix>/bin``): a copy if need be.

        The whole prefix is copied, since the programs look for ``../lib`` and ``../share``.
        """
        if self.strategy != "switch" or _reachable(directory):
            return directory
        prefix = directory.resolve().parent
        digest = hashlib.sha256(f"{prefix} {prefix.stat().st_mtime_ns}".encode()).hexdigest()[:16]
        copy = _PUBLIC / f"bounty-ops-programs-{digest}"
        if not copy.exists():
            fresh = _PUBLIC / f"{copy.name}.{os.getpid()}"
            shutil.copytree(prefix, fresh, symlinks=True)
            fresh.chmod(0o755)
            try:
                fresh.rename(copy)
            except OSError:  # somebody else made the same copy meanwhile
                shutil.rmtree(fresh)
        elif copy.stat().st_uid != os.geteuid():
            raise EmbeddedError(
                f"{copy} belongs to somebody else", hint="Remove it, or ask its owner to."
            )
        return copy / directory.name

    def hand_over(self, path: Path) -> None:
        """Make a file of ours this user's."""
        if self.strategy == "switch":
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def former_places(wanted: Path, place: Path) -> list[Path]:
    """Places of former generations of the data that should be at `wanted`."""
    origins = [path / _ORIGIN for path in _PUBLIC.glob(f"{_PREFIX}*") if path != place]
    return [
        origin.parent
        for origin in origins
        if os.access(origin, os.R_OK)
        and origin.read_text(encoding="utf-8") == str(wanted.resolve())
    ]


def _own_directory(place: Path, wanted: Path, user: ServerUser) -> None:
    """Make the directory. Nothing is written into it as root once it belongs to another user."""
    with suppress(FileExistsError):
        place.mkdir(mode=0o700, parents=True)
        if place != wanted:
            (place / _ORIGIN).write_text(str(wanted.resolve()), encoding="utf-8")
        user.hand_over(place)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != (
        user.uid if user.strategy == "switch" else os.geteuid()
    ):
        # Under /var/tmp anybody could have put it there first.
        raise EmbeddedError(f"{place} belongs to somebody else", hint="Remove it and try again.")


def _reachable(directory: Path) -> bool:
    resolved = directory.resolve()
    return all(path.stat().st_mode & _SEARCH for path in (resolved, *resolved.parents))


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _unprivileged() -> tuple[int, int]:
    entries = sorted(pwd.getpwall(), key=lambda entry: (entry.pw_name != "nobody", -entry.pw_uid))
    for entry in entries:
        if entry.pw_uid != 0:
            return entry.pw_uid, entry.pw_gid
    raise EmbeddedError(
        "PostgreSQL does not run as root, and this system has no other user",
        hint="Add an ordinary user (useradd bounty-ops), or run as one.",
    )


@lru_cache(maxsize=8)
def _namespace_works(uid: int, gid: int) -> bool:
    user = ServerUser("namespace", uid, gid)
    check = f"import os, sys; sys.exit(os.geteuid() != {uid})"
    result = subprocess.run(
        user.command([sys.executable, "-I", "-S", "-c", check]),
        env={},  # another user may look at it while it runs
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return result.returncode == 0


def server_user(environ: Mapping[str, str] | None = None) -> ServerUser:
    """As whom to run servers here.

    Raises:
        ConfigurationError: the variable names no strategy.
        EmbeddedError: PostgreSQL cannot run as we are, and no other way works.
    """
    variables = os.environ if environ is None else environ
    forced = variables.get(VARIABLE, "").strip()
    if forced and forced not in _STRATEGIES:
        raise ConfigurationError(
            f"{VARIABLE}={forced} is unknown", hint=f"Use one of: {', '.join(_STRATEGIES)}."
        )
    me = ServerUser("same", os.geteuid(), os.getegid())
    if forced == "same" or (not forced and me.uid != 0 and _has_name(me.uid)):
        return me
    uid, gid = _unprivileged()
    if forced != "switch" and _namespace_works(uid, gid):
        return ServerUser("namespace", uid, gid)
    if forced != "namespace" and me.uid == 0:
        return ServerUser("switch", uid, gid)
    raise EmbeddedError(
        "PostgreSQL cannot run as this user, and user namespaces are forbidden here",
        hint="Run as root, or as a user that has an entry in /etc/passwd.",
    )
