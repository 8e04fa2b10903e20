"""Rows are made ahead, in a thread that ends with whoever wanted them, and encoded as they are."""

from __future__ import annotations

import re
import threading
from itertools import count, islice
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import PostgresError
from bounty_ops.postgres.connect import connect
from bounty_ops.seeding import seed
from bounty_ops.seeding.ahead import ahead
from bounty_ops.seeding.encoding import encode
from bounty_ops_tests.seeding.conftest import counted, environment_of
from bounty_ops_tests.seeding.facts import generate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.seeding.world import Row

_ESCAPED = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


def _decoded(block: bytes) -> list[tuple[str | None, ...]]:
    """What PostgreSQL reads from lines of COPY's text format."""
    lines = block.decode().split("\n")
    assert not lines.pop()
    return [
        tuple(
            None if value == "\\N" else re.sub(r"\\.", lambda found: _ESCAPED[found[0]], value)
            for value in line.split("\t")
        )
        for line in lines
    ]


def _as_text(row: Row) -> tuple[str | None, ...]:
    return tuple(
        None if value is None else str(value)[0].lower() if isinstance(value, bool) else str(value)
        for value in row
    )


def test_what_means_something_to_copy_is_a_value_like_any_other() -> None:
    rows: list[Row] = [
        ("\\", "\\N", "\\.", "\\t", "\t", "\n", "\r\n", "", None),
        ("v", "r", "n", "NULL", True, False, 0, -1, "𠮷"),
    ]
    assert _decoded(encode(rows)) == [_as_text(row) for row in rows]


def test_every_row_of_every_table_is_encoded_as_it_is() -> None:
    for table, rows in generate(2000, 20260101).items():
        assert _decoded(encode(rows)) == [_as_text(row) for row in rows], table


def _workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "seeding ahead"]


def test_items_come_in_order_and_no_more_than_asked_for_are_made_ahead() -> None:
    made: list[int] = []
    full = threading.Semaphore(0)

    def numbers() -> Iterator[int]:
        for number in count():
            made.append(number)
            full.release()
            yield number

    with ahead(numbers(), most=5) as found:
        assert list(islice(found, 3)) == [0, 1, 2]
        for _ in range(3 + 5 + 1):  # those that were taken, those ahead, and one that has to wait
            assert full.acquire(timeout=30)
        assert not full.acquire(timeout=0.05)
    assert len(made) == 3 + 5 + 1
    assert _workers() == []


def test_an_error_comes_after_what_was_made_before_it() -> None:
    def fails() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    found: list[int] = []
    with pytest.raises(ZeroDivisionError), ahead(fails(), most=5) as items:
        found.extend(items)
    assert found == [1]


@pytest.mark.parametrize("waiting", [False, True])
def test_who_stops_in_the_middle_leaves_no_thread(*, waiting: bool) -> None:
    """Whether the thread waits for room, or works."""
    with pytest.raises(KeyboardInterrupt):
        _interrupted(most=1 if waiting else 10**6)
    assert _workers() == []


def _interrupted(most: int) -> None:
    with ahead(count(), most=most) as items:
        next(items)
        raise KeyboardInterrupt


def test_a_server_that_goes_away_leaves_no_thread(empty_bounty: DatabaseUrl) -> None:
    def cut(rows: int) -> None:
        if rows > 10_000 and (thread := _workers()):
            seen.extend(thread)
            with connect(empty_bounty, application_name="tests") as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE application_name = 'bounty-ops seed' AND datname = current_database()"
                )

    seen: list[threading.Thread] = []
    with pytest.raises(PostgresError):
        seed(environment_of(empty_bounty), rows=60_000, progress=cut)
    assert seen
    assert _workers() == []
    assert sum(counted(empty_bounty).values()) == 0
