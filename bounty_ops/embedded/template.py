"""A new cluster kept to be copied: ``initdb`` costs more than restoring a small database.

Copies differ from what ``initdb`` would make in one thing: they share their system identifier,
which matters to replication alone. So only throw-away clusters are copies.

A template lies in the user's cache directory, which no cleaner empties file by file as it does
/var/tmp, and is written through to disk before it gets its name. It is named after all that decides
its content, and used only if it holds as many files and bytes as it held then.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.embedded.privileges import ServerUser

_PREFIX: Final = "initdb-"
_DATA: Final = "data"
#: These programs may run as another user, who sees the variables of everything that is theirs.
_ENVIRONMENT: Final = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
_MARK: Final = "complete.json"
_UNUSED_SECONDS: Final = 60 * 86_400.0


def place(user: ServerUser, argv: Sequence[str]) -> Path | None:
    """Where the template of this ``initdb`` command is or would be; None: there can be none.

    Args:
        user: the server's; as another one than we are it could not read our cache.
        argv: of initdb, without the data directory.
    """
    if user.strategy == "switch":
        return None
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        program = Path(argv[0]).resolve().stat()
    except (OSError, RuntimeError):  # no home directory
        return None
    if not cache.is_absolute():
        return None
    basis = json.dumps([*argv, program.st_size, program.st_mtime_ns, user.strategy])
    name = hashlib.sha256(basis.encode()).hexdigest()[:16]
    return cache / "bounty-ops" / f"{_PREFIX}{name}"


def copy(template: Path, data: Path, user: ServerUser) -> bool:
    """Copy a template to `data`, which must not exist; False when there is no sound one."""
    try:
        expected = json.loads((template / _MARK).read_text(encoding="utf-8"))
        own = template.stat().st_uid == os.geteuid()
    except (OSError, ValueError):
        return False
    if not own or expected != _measure(template / _DATA):
        return False
    done = subprocess.run(
        user.command(["/bin/cp", "-Rp", str(template / _DATA), str(data)]),
        cwd="/",
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0 or _measure(data) != expected:
        shutil.rmtree(data, ignore_errors=True)
        return False
    with suppress(OSError):
        os.utime(template)
    return True


def keep(template: Path, data: Path, user: ServerUser, initdb: str) -> None:
    """Make a template of a cluster that has never been started; without one all goes on."""
    fresh = template.with_name(f".{template.name}.{secrets.token_hex(6)}")
    try:
        template.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_unused(template.parent)
        fresh.mkdir(mode=0o700)
        for command in (
            ["/bin/cp", "-Rp", str(data), str(fresh / _DATA)],
            # Else a power failure could leave files of the right size and without their content.
            [initdb, "--sync-only", f"--pgdata={fresh / _DATA}"],
        ):
            subprocess.run(
                user.command(command), cwd="/", env=_ENVIRONMENT, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
            )  # fmt: skip
        (fresh / _MARK).write_text(json.dumps(_measure(fresh / _DATA)), encoding="utf-8")
        shutil.rmtree(template, ignore_errors=True)
        fresh.rename(template)
    except (OSError, subprocess.CalledProcessError):
        # A full disk, a cache that cannot be written, another process that was faster.
        shutil.rmtree(fresh, ignore_errors=True)


def _measure(directory: Path) -> list[int]:
    """How many files there are below a directory, and how many bytes in them."""
    files = size = 0
    for root, _, names in os.walk(directory):
        for name in names:
            files += 1
            size += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118 - a thousand files
    return [files, size]


def _forget_unused(cache: Path) -> None:
    """Remove templates of versions that nobody has run for long, and what a killed one left."""
    limit = time.time() - _UNUSED_SECONDS
    for old in (*cache.glob(f"{_PREFIX}*"), *cache.glob(f".{_PREFIX}*")):
        with suppress(OSError):
            if old.stat().st_mtime < limit:
                shutil.rmtree(old, ignore_errors=True)
