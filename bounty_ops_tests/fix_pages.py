"""A word on what of the pages could not be walked here, for want of a program or a right."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from bounty_ops_tests.docs.machine import can_serve, possible
from bounty_ops_tests.docs.pages import blocks_of, pages

if TYPE_CHECKING:
    import pytest

#: Where Debian has the programs that blocks need.
_PACKAGES: Final = {"aws": "awscli", "pgbouncer": "pgbouncer"}


def left_out() -> list[str]:
    """What was not done, and what would do it."""
    blocks = [block for page in pages() for block in blocks_of(page)]
    needed = {block.marks["needs"] for block in blocks if "needs" in block.marks}
    found = [
        f"blocks that need {program} were LEFT OUT: there is none here "
        f"(Debian: apt-get install {_PACKAGES[program]})"
        for program in sorted(needed)
        if shutil.which(program) is None
    ]
    if not possible():
        found.append(
            "connect-*.md were LEFT OUT: nobody may mount anything here (root may, in containers "
            "with CAP_SYS_ADMIN, and others where user namespaces are allowed)"
        )
    if not can_serve():
        found.append(
            "protect-the-ui.md was LEFT OUT: it takes root, who may mount, and nginx "
            "(Debian: apt-get install nginx-light apache2-utils curl)"
        )
    return found


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say so, where the walks were asked for."""
    if config.getoption("--soak"):
        for each in left_out():
            terminalreporter.write_line(f"Of the pages, {each}.", yellow=True)
