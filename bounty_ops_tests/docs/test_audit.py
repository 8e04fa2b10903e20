"""The audit of dependencies, against a database of advisories that stands here."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import pytest

from bounty_ops.embedded import ports
from bounty_ops_tests.audit import audit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK: Final = (
    "holey==1.0 \\\n    --hash=sha256:{0}\nsound==2.0 ; python_version >= '3' \\\n"
    "    --hash=sha256:{0}\n"
).format("1" * 64)
ADVISORY: Final = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "aliases": ["CVE-2026-0001"],
    "summary": "a hole",
    "details": "a hole",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "holey", "ecosystem": "PyPI"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]},
            ],
            "versions": ["1.0"],
        }
    ],
}


class Advisories(BaseHTTPRequestHandler):
    """Answers as OSV does; `known` are the packages with a hole."""

    known: frozenset[str] = frozenset()
    broken = False

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = asked.get("package", {}).get("name")
        body = json.dumps({"vulns": [ADVISORY]} if name in self.known else {}).encode()
        self.send_response(500 if self.broken and name else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Keep quiet."""


@pytest.fixture
def advisories() -> Iterator[tuple[str, type[Advisories]]]:
    handler = type("Handler", (Advisories,), {})
    server = ThreadingHTTPServer((ports.LOOPBACK, 0), handler)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://{ports.LOOPBACK}:{server.server_port}/v1/query", handler
    server.shutdown()
    server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(LOCK, encoding="utf-8")
    return path


def test_a_pin_with_a_known_hole_fails(
    advisories: tuple[str, type[Advisories]], lock: Path
) -> None:
    url, handler = advisories
    handler.known = frozenset({"holey"})
    code, lines = audit(lock, url, {})
    assert code == 1
    assert lines[0] == "holey 1.0: CVE-2026-0001 GHSA-aaaa-bbbb-cccc: mended in 1.1"
    accepted = {"CVE-2026-0001": "we never call it"}
    code, lines = audit(lock, url, accepted)
    assert code == 0
    assert "accepted: CVE-2026-0001: we never call it" in lines


def test_sound_pins_pass_and_are_counted(
    advisories: tuple[str, type[Advisories]], lock: Path
) -> None:
    assert audit(lock, advisories[0], {}) == (
        0,
        ["2 dependencies, none with a known vulnerability"],
    )


def test_without_anybody_to_ask_it_is_unknown_and_said_so(
    advisories: tuple[str, type[Advisories]], lock: Path
) -> None:
    (free,) = ports.choose(1)
    code, (line,) = audit(lock, f"http://{ports.LOOPBACK}:{free}/v1/query", {})
    assert (code, line.partition(" (")[0]) == (0, "unknown: no advisory database reachable")
    url, handler = advisories
    handler.broken = True
    code, (line,) = audit(lock, url, {})
    assert (code, line.partition(" (")[0]) == (0, "unknown: no advisory database reachable")
