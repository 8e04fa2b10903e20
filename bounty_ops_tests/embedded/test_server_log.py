"""The one line of a log that says why a server does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bounty_ops.embedded import server_log

_PLACE = Path("/somewhere/data")


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        (
            'FATAL:  could not write to file "pg_wal/x": No space left on device',
            "the disk is full",
        ),
        ('PANIC:  could not write to file "pg_wal/x": File too large', "the disk is full"),
        (
            "LOG:  bind: Address already in use\nFATAL:  could not create any TCP/IP sockets",
            "its port is taken",
        ),
        ("F1122 mini.go:1] listen tcp 127.0.0.1:1: bind: address already in use", "its port"),
        (
            'FATAL:  could not open file "global/pg_control": Permission denied',
            "it may not read or write its files",
        ),
        ("FATAL:  could not map anonymous shared memory: Cannot allocate memory", "memory"),
        (
            "postgres: error while loading shared libraries: libxml2.so.2: cannot open",
            "does not run on this machine",
        ),
    ],
)
def test_a_known_cause_is_named_with_a_remedy(output: str, cause: str) -> None:
    error = server_log.explain("PostgreSQL", output, directory=_PLACE)
    assert cause in str(error)
    assert output.splitlines()[-1] in str(error)
    assert error.hint
    assert "{" not in error.hint


def test_telling_lines_are_preferred_to_the_last_ones() -> None:
    output = "LOG:  a\nFATAL:  it hurts\nLOG:  shutting down\nLOG:  bye"
    assert str(server_log.explain("X", output, directory=_PLACE)) == (
        "X ended unexpectedly: FATAL:  it hurts"
    )


def test_an_empty_log_is_said_to_be_empty(tmp_path: Path) -> None:
    error = server_log.why("X", tmp_path / "missing.log", directory=tmp_path)
    assert str(error) == "X ended unexpectedly: it said nothing"
    assert str(tmp_path / "missing.log") in error.hint


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("FATAL: old\n" + "LOG: x\n" * 5000 + "last\n", encoding="utf-8")
    lines = server_log.tail(log)
    assert lines[-1] == "last"
    assert "FATAL: old" not in lines
    assert server_log.tail(log, since=log.stat().st_size - 5) == ["last"]


def test_the_log_of_the_run_before_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    server_log.rotate(log)
    log.write_text("one", encoding="utf-8")
    server_log.rotate(log)
    assert not log.exists()
    log.write_text("", encoding="utf-8")
    server_log.rotate(log)  # an empty one must not push out what can still be read
    assert (tmp_path / "x.log.1").read_text("utf-8") == "one"
