"""Rules for Prometheus are judged by its own promtool, where there is one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_JUDGED = "test_promtool.py"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave them out where there is no promtool."""
    return True if collection_path.name == _JUDGED and shutil.which("promtool") is None else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say so."""
    if shutil.which("promtool") is None:
        terminalreporter.write_line(
            "The rules for Prometheus were LEFT OUT: there is no promtool here "
            "(Debian: apt-get install prometheus).",
            yellow=True,
        )
