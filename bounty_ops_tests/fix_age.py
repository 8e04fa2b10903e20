"""The plain `age` program, for the test that shows that nothing of ours is needed to decrypt."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_TEST: Final = "test_plain_age.py"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave the test out where there is no such program."""
    return True if collection_path.name == _TEST and shutil.which("age") is None else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say so."""
    if shutil.which("age") is None:
        terminalreporter.write_line(
            "Decrypting with the plain age program was LEFT OUT: there is no age here "
            "(Debian: apt-get install age).",
            yellow=True,
        )
