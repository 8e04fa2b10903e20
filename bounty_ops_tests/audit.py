"""Ask a database of advisories about every dependency in requirements.lock: part of `make check`.

``python -m bounty_ops_tests.audit [LOCK] [--osv-url URL]``. Exit code 1: one of them is known to be
vulnerable. Where no such database can be reached, and that is all that can be said, it says so
and ends with 0: a check that fails without a network would soon be left out.

The asking is pip-audit's. Of its sources OSV is taken: it has the advisories of PyPI and of GitHub,
needs no account, and its address can be another one (a mirror, a test).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

OSV_URL: Final = "https://api.osv.dev/v1/query"
_ROOT: Final = Path(__file__).parents[1]
_REACH_SECONDS: Final = 5
#: 160 packages, one request each; OSV answers within a tenth of a second.
_WHOLE_SECONDS: Final = 120
_UNKNOWN: Final = "unknown: no advisory database reachable"


def audit(lock: Path, osv_url: str, accepted: dict[str, str]) -> tuple[int, list[str]]:
    """Exit code and lines to print.

    `accepted` are advisories that do not concern us, by id, each with the reason.
    """
    problem = _unreachable(osv_url)
    if problem is not None:
        return 0, [f"{_UNKNOWN} ({problem})"]
    done = _pip_audit(lock, osv_url, accepted)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return 0, [f"{_UNKNOWN} ({last})"]
    lines = [line for each in found for line in _told(each)]
    if lines:
        return 1, [
            *lines,
            "Update them (`make lock`), or say in pyproject.toml why it is no matter.",
        ]
    told = f"{len(found)} dependencies, none with a known vulnerability"
    return 0, [told, *(f"accepted: {name}: {reason}" for name, reason in accepted.items())]


def _unreachable(osv_url: str) -> str | None:
    """Why nobody answers there; any answer to a question about nothing will do."""
    host = urlsplit(osv_url).netloc
    request = urllib.request.Request(osv_url, data=b"{}", method="POST")  # noqa: S310 - as given
    try:
        urllib.request.urlopen(request, timeout=_REACH_SECONDS).close()  # noqa: S310 - same
    except urllib.error.HTTPError as answer:
        answer.close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return f"{host}: {reason}"
    return None


def _pip_audit(
    lock: Path, osv_url: str, accepted: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes",
               "--disable-pip", "--vulnerability-service", "osv", "--osv-url", osv_url,
               "--timeout", str(_REACH_SECONDS), "--progress-spinner", "off",
               "--format", "json"]  # fmt: skip
    for name in accepted:
        command += ["--ignore-vuln", name]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_WHOLE_SECONDS
        )
    except subprocess.TimeoutExpired:
        slow = f"it took more than {_WHOLE_SECONDS} s"
        return subprocess.CompletedProcess(command, 1, "", slow)


def _told(dependency: dict[str, Any]) -> list[str]:
    name = f"{dependency['name']} {dependency.get('version', '')}".strip()
    return [
        f"{name}: {each['id']} {' '.join(each['aliases'])}: "
        f"mended in {', '.join(each['fix_versions']) or 'no version yet'}"
        for each in dependency.get("vulns", ())
    ]


def main() -> int:
    """Audit, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bounty_ops_tests.audit")
    parser.add_argument("lock", nargs="?", type=Path, default=_ROOT / "requirements.lock")
    parser.add_argument("--osv-url", default=OSV_URL)
    options = parser.parse_args()
    settings = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    accepted = settings["tool"].get("bounty-ops", {}).get("accepted-advisories", {})
    code, lines = audit(options.lock, options.osv_url, accepted)
    sys.stdout.write("".join(f"Dependencies: {line}\n" for line in lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
