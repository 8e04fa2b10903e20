"""What a full or read-only disk looks like to a person."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def writing_to(directory: Path) -> Iterator[None]:
    """Tell errors of the file system in the block as what they mean for the embedded servers.

    Raises:
        EmbeddedError: `directory` could not be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise EmbeddedError(
                f"the disk is full: {directory} cannot be written",
                hint="Free some space there, and try again; nothing else is needed.",
            ) from error
        raise EmbeddedError(
            f"{directory} cannot be written: {error.strerror}",
            hint="See that it belongs to you; BOUNTY_OPS_HOME names another place.",
        ) from error
