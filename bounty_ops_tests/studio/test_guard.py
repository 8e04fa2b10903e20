"""Only the browser that was shown the token gets in, and only its own pages change anything."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bounty_ops.studio.guard import TOKEN_SECONDS, Session

if TYPE_CHECKING:
    import pytest

    from bounty_ops_tests.studio.conftest import Visitor


def test_nobody_else_gets_in(reader: Visitor) -> None:
    visitor = reader
    home = visitor.session.path + "/"

    own = visitor.raw("GET", home)
    assert own.status == 200
    assert own.headers["cache-control"] == "no-store"
    policy = own.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy

    for path in ("/", home, visitor.session.path + "/statics/js/main.js", "/other/"):
        assert visitor.raw("GET", path, headers={"Cookie": ""}).status == 403, path
    wrong = f"{visitor.session.cookie}={'x' * 43}"
    assert visitor.raw("GET", home, headers={"Cookie": wrong}).status == 403
    port = visitor.session.host.partition(":")[2]
    for host in (f"evil.example:{port}", f"localhost:{port}", "127.0.0.1"):
        assert visitor.raw("GET", home, headers={"Host": host}).status == 421, host
    # The token was exchanged when the visitor was let in.
    assert visitor.raw("GET", "/enter?token=None").status == 403
    assert visitor.raw("GET", "/enter?token=").status == 403


def test_the_token_works_once_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session("http://127.0.0.1:1")
    token = session.token
    assert token is not None
    assert not session.exchange("")
    assert not session.exchange("ä")
    assert session.exchange(token)
    assert not session.exchange(token)
    assert not session.exchange("None")

    late = Session("http://127.0.0.1:1")
    assert late.token is not None
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + TOKEN_SECONDS + 1)
    assert not late.exchange(late.token)
    assert token not in repr(session)
    assert session.key not in repr(session)


def test_a_preview_does_not_use_the_token_up(reader: Visitor) -> None:
    visitor = reader
    visitor.session.token = "again"
    # The server is shared: without a new beginning its token would be too old on a slow machine.
    visitor.session.began = time.monotonic()
    assert visitor.raw("HEAD", "/enter?token=again").status == 403
    entered = visitor.raw("GET", "/enter?token=again")
    assert entered.status == 200
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert f"Path={visitor.session.path}" in cookie
