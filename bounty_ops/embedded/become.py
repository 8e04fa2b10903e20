"""Start a program as somebody else: the last step before ``exec``, in a process of its own.

Run by path (``python -I -S become.py ... -- program arguments``), never imported by what it
serves: it needs nothing but the standard library, so it costs some 20 ms and works wherever
Python does, without ``unshare`` or ``setpriv``. Doing this in a fresh single-threaded process,
and not between ``fork`` and ``exec`` of the caller, is what makes it safe under threads.

* ``--map-to UID:GID``: enter a user namespace in which our own ids look like these. PostgreSQL,
  which refuses to run as root, then sees an ordinary user, while outside every file stays ours.
* ``--switch-to UID:GID``: give the privileges up for good.
* ``--death-signal N --parent PID``: be sent signal N when the process PID (which started us) dies,
  even by SIGKILL.

Signals start at their defaults: a program started from a background job of a shell would
otherwise inherit an ignored SIGINT, and PostgreSQL and Dagster could not be asked to stop.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_CANNOT_START = 127


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _ids(text: str) -> tuple[int, int]:
    uid, _, gid = text.partition(":")
    return int(uid), int(gid)


def enter_namespace(uid: int, gid: int) -> None:
    """Look like uid:gid from now on, while staying who we are for the world outside."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _call("unshare", _CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1", encoding="ascii")


def switch(uid: int, gid: int) -> None:
    """Become uid:gid with no way back."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _default_signals() -> None:
    for number in signal.valid_signals():
        # SIGKILL and SIGSTOP cannot be set, nor can the two that the C library keeps for itself.
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def main() -> None:
    """Take on the identity that the arguments name, then be replaced by the program."""
    parser = argparse.ArgumentParser(prog="become")
    parser.add_argument("--map-to", type=_ids)
    parser.add_argument("--switch-to", type=_ids)
    parser.add_argument("--death-signal", type=int)
    parser.add_argument("--parent", type=int)
    parser.add_argument("--directory")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    os.umask(0o077)
    # Before the privileges go: afterwards the directory might be out of reach.
    if options.directory:
        os.chdir(options.directory)
    if options.map_to:
        enter_namespace(*options.map_to)
    if options.switch_to:
        switch(*options.switch_to)
    _default_signals()
    if options.death_signal:
        # After the change of identity, which would clear it.
        _call("prctl", _PR_SET_PDEATHSIG, options.death_signal, 0, 0, 0)
        if options.parent and os.getppid() != options.parent:
            raise SystemExit(_CANNOT_START)  # it died before we could ask to be told
    try:
        os.execv(options.program[0], options.program)  # noqa: S606 - that is the job
    except OSError as error:
        raise SystemExit(f"cannot start {options.program[0]}: {error.strerror}") from error


if __name__ == "__main__":
    main()
