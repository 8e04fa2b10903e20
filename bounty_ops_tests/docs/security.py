"""The SQL of the roles in SECURITY.md: what `db grants` prints for an empty database.

test_security.py compares, and with ``BOUNTY_OPS_WRITE_SCREENS=1`` writes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.grants import role_script
from bounty_ops_tests.docs.pages import ROOT

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.monitoring.grants import Purpose

PAGE: Final = ROOT / "SECURITY.md"
HEADINGS: Final[dict[Purpose, str]] = {
    "monitoring": "To monitor",
    "backup": "To back up",
    "migration": "To migrate",
}


def block(url: DatabaseUrl, purpose: Purpose) -> str:
    """What stands in the page for a purpose; `url` is that of an empty database."""
    text = role_script(url, purpose).sql().replace(url.database, "bounty")
    comment = "<!-- shown by: bounty_ops_tests/monitoring/test_working_grants.py -->"
    return f"{comment}\n```postgresql\n{text}\n```\n"


def written(page: str, url: DatabaseUrl) -> str:
    """The page with the SQL as it is now."""
    for purpose, heading in HEADINGS.items():
        before, title, rest = page.partition(f"### {heading}\n\n")
        end = min(at for at in (rest.find("\n###"), rest.find("\nA restore,")) if at >= 0)
        page = before + title + block(url, purpose) + rest[end:]
    return page
