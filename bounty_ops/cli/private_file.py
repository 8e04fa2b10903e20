"""A file that is there whole or not at all, for its owner alone, and never over another one."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import BountyOpsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

#: File systems without hard links (FAT, some network shares) answer with one of these.
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


class FileNotWritten(BountyOpsError):  # noqa: N818 - states what happened
    """The disk said no."""


@contextmanager
def private_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write into, which gets its name when the block ends well.

    Raises:
        UsageError: there is something by that name, or no directory to put it into.
        FileNotWritten: the disk is full, or may not be written to.
    """
    _refuse(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(partial, path)
    except OSError as error:
        raise FileNotWritten(
            f"{path} could not be written: {error.strerror or type(error).__name__}",
            hint="Nothing of it was left behind; choose a place with room that you may write to.",
        ) from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _refuse(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a directory", hint="Give the name of a file in it.")
    if os.path.lexists(path):
        raise _taken(path)
    if not path.parent.is_dir():
        raise UsageError(
            f"there is no directory {path.parent}", hint=f"Make it first: mkdir -p {path.parent}"
        )


def _name(partial: Path, path: Path) -> None:
    """Give the file its name, unless somebody else has taken it meanwhile."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise _taken(path) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):
            raise _taken(path) from None
        partial.rename(path)


def _taken(path: Path) -> UsageError:
    return UsageError(
        f"{path} exists already", hint="Choose another name, or remove it: nothing is overwritten."
    )
