"""Whether the files that hold passwords are for their owner alone."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from bounty_ops.doctor.result import CheckResult, State, ok

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.environments import Settings

_NAME = "private files"
_PROJECT = "project"


def private_files(settings: Settings) -> CheckResult:
    """Whether other users of this machine may read `.env` files, or enter the state directory."""
    found = [path for path in _secret(settings) if path.exists()]
    seen = [path for path in found if _open_to_others(path)]
    if not seen:
        count = f"{len(found)} looked at" if found else "there are none"
        return ok(_NAME, _PROJECT, f"nobody else on this machine may read them ({count})")
    names = ", ".join(path.name for path in seen)
    return CheckResult(
        _NAME,
        _PROJECT,
        State.WARNING,
        f"everybody on this machine may read {names}",
        "Take that right away: chmod o-rwx " + " ".join(str(path) for path in seen),
    )


def _secret(settings: Settings) -> Iterator[Path]:
    yield settings.project_dir / ".env"
    for name in settings.environments:
        yield settings.project_dir / f".env.{name}"
    yield settings.state_dir


def _open_to_others(path: Path) -> bool:
    """Whether a user who is neither the owner nor in the group gets at it by its path."""
    try:
        ways = [each.stat().st_mode for each in path.resolve().parents]
        mode = path.stat().st_mode
    except OSError:  # not even we do
        return False
    return bool(mode & stat.S_IROTH) and all(way & stat.S_IXOTH for way in ways)
