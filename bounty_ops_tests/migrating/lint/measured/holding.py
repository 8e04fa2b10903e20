"""Locks of a statement that cannot run in a transaction: it is held up until it has shown them.

Locks of ours are in its way, the weaker first: SHARE UPDATE EXCLUSIVE on everything, then ACCESS
SHARE on partitioned tables, then ACCESS SHARE on the rest. Whenever it waits for one of us, its
locks and the one it waits for are noted, and that one of us lets go. Polling alone would miss
locks that last a millisecond.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

from bounty_ops_tests.migrating.lint.measured.measurement import MODES
from bounty_ops_tests.migrating.lint.measured.sessions import Session, session

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

_TABLES: Final = """
SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'billing', 'legacy') AND c.relkind = ANY (%s) ORDER BY 1, 2
"""
_OBSTACLES: Final = (
    (["r", "p", "m"], "SHARE UPDATE EXCLUSIVE"),
    (["p"], "ACCESS SHARE"),
    (["r", "m"], "ACCESS SHARE"),
)
_PAUSE: Final = 0.005


def while_held_up(
    carry_out: Callable[[], object],
    locks: Callable[[], dict[str, tuple[str, ...]]],
    in_the_way: Callable[[], list[int]],
    url: DatabaseUrl,
) -> dict[str, tuple[str, ...]]:
    """Carry out a statement and return the locks that it was seen to have or want."""
    failed: list[psycopg.Error] = []

    def work() -> None:
        try:
            carry_out()
        except psycopg.Error as error:
            failed.append(error)

    seen: dict[str, set[str]] = {}
    with ExitStack() as stack:
        holders = {}
        for kinds, mode in _OBSTACLES:
            holder = stack.enter_context(session(url))
            _hold(holder, kinds, mode)
            holders[holder.info.backend_pid] = holder
        worker = threading.Thread(target=work)
        worker.start()
        while worker.is_alive():
            if ours := [pid for pid in in_the_way() if pid in holders]:
                for name, modes in locks().items():
                    seen.setdefault(name, set()).update(modes)
                for pid in ours:
                    holders.pop(pid).execute("ROLLBACK")
            time.sleep(_PAUSE)
        worker.join()
    if failed:
        raise failed[0]
    return {name: tuple(sorted(modes, key=MODES.index)) for name, modes in sorted(seen.items())}


def blockers(observer: Session, pid: int) -> list[int]:
    """Whom a backend waits for."""
    row = observer.execute("SELECT pg_blocking_pids(%s)", [pid]).fetchone()
    assert row is not None
    assert isinstance(row[0], list)
    return row[0]


def _hold(holder: Session, kinds: list[str], mode: str) -> None:
    tables = holder.execute(_TABLES, [kinds]).fetchall()
    holder.execute("BEGIN")
    for schema, name, kind in tables:
        table = sql.Identifier(str(schema), str(name))
        if mode == "ACCESS SHARE":  # a query has it on the indexes too
            text = sql.SQL("SELECT FROM ONLY {} LIMIT 0").format(table)
        elif kind == "m":  # LOCK TABLE does not take them, ANALYZE keeps its lock
            text = sql.SQL("ANALYZE {}").format(table)
        else:
            text = sql.SQL("LOCK TABLE ONLY {} IN {} MODE").format(table, sql.SQL(mode))
        holder.execute(text)
