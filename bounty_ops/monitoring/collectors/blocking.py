"""Who waits for whom: trees of blocked sessions, by `pg_blocking_pids`, lock queues included.

An ALTER TABLE that waits makes everybody queue behind it, so the tree goes from the session that
holds the lock, through the ALTER, to the ones that only wanted to read.
"""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from bounty_ops.monitoring.literals import strip_literals
from bounty_ops.monitoring.probe import Probe
from bounty_ops.monitoring.result import Entry

#: For so many waiting sessions the server is asked who blocks them; each time it locks its whole
#: lock table for a moment.
ASKED: Final = 100
#: So many waiting sessions are told of each tree with their statements.
_TOLD: Final = 20

_ALL: Final = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
#: What each lock does not tolerate beside itself (PostgreSQL's documentation, 13.3.1).
_CONFLICTS: Final[Mapping[str, tuple[str, ...]]] = {
    "AccessShareLock": _ALL[7:],
    "RowShareLock": _ALL[6:],
    "RowExclusiveLock": _ALL[4:],
    "ShareUpdateExclusiveLock": _ALL[3:],
    "ShareLock": (_ALL[2], _ALL[3], *_ALL[5:]),
    "ShareRowExclusiveLock": _ALL[2:],
    "ExclusiveLock": _ALL[1:],
    "AccessExclusiveLock": _ALL,
}


class Waiter(BaseModel):
    """A session that waits for a lock."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    user: str | None
    application: str | None
    seconds: float
    """How long it has been waiting."""
    lock: str
    """What it wants: `AccessExclusiveLock on public.bounty`, `ShareLock on transaction 734`."""
    statement: str | None
    """The statement without literals; None where the role may not see it."""
    waits_for: tuple[int, ...]
    """Whom it waits for; 0 stands for a prepared transaction."""
    depth: int
    """1: it waits for the blocker itself; 2: for somebody who does; and so on."""


class Blocking(Entry):
    """One session, or prepared transaction, that others wait for and that waits for nobody."""

    blocker_pid: int
    """0 where it is a prepared transaction, which no session stands behind."""
    prepared: str | None
    """The identifier of the prepared transaction."""
    user: str | None
    application: str | None
    state: str | None
    """`prepared` for a prepared transaction; None where the role may not see it."""
    seconds: float
    """How long the one that waits longest has been waiting."""
    transaction_seconds: float | None
    """How long the blocker's transaction has been open."""
    statement: str | None
    """Its statement, or its last one, without literals."""
    blocked_pids: tuple[int, ...]
    """Everybody who waits for it, directly or behind others."""
    depth: int
    """How long the longest chain is: 1 where all wait for the blocker itself."""
    waiters: tuple[Waiter, ...]
    """The first ones of them in the queue, nearest to the blocker first."""

    @property
    def subject(self) -> str:
        """The blocker."""
        if self.prepared is not None:
            return f"blocker prepared {self.prepared}"
        return f"blocker pid {self.blocker_pid}"


class Blocked(NamedTuple):
    """Everybody who waits, as trees; and how many the server was not asked about."""

    trees: tuple[Blocking, ...]
    sessions: int
    longest_seconds: float
    not_asked: int


class _Wait(NamedTuple):
    pid: int
    seconds: float
    mode: str
    target: str
    blockers: list[int] | None


class _Person(NamedTuple):
    user: str | None
    application: str | None
    state: str | None
    transaction_seconds: float | None
    statement: str | None


#: A process id, or the identifier of a prepared transaction.
Holder = int | str

_NOBODY: Final = _Person(None, None, None, None, None)


def collect_blocking(probe: Probe, pids: Collection[int]) -> Blocked:
    """Of these sessions, those that wait for others.

    Raises:
        psycopg.Error: a statement failed.
    """
    rows = probe.rows("waiting", {"pids": list(pids), "most": ASKED}) if pids else []
    waits = {wait.pid: wait for wait in (_Wait(*row) for row in rows)}
    people, prepared = _prepared(probe, waits)
    edges = {
        pid: holders
        for pid, wait in waits.items()
        if (holders := _holders(wait, prepared.get(pid, frozenset())))
    }
    people |= _people(probe, {pid for pid in holders_of(edges) if isinstance(pid, int)})
    trees = [_tree(root, depths, waits, people) for root, depths in trees_of(edges).items()]
    not_asked = sum(wait.blockers is None for wait in waits.values())
    counted = [wait for wait in waits.values() if wait.pid in edges or wait.blockers is None]
    return Blocked(
        trees=tuple(sorted(trees, key=lambda tree: (-tree.seconds, tree.subject))),
        sessions=len(counted),
        longest_seconds=max((wait.seconds for wait in counted), default=0.0),
        not_asked=not_asked,
    )


def holders_of(edges: Mapping[int, Collection[Holder]]) -> set[Holder]:
    """Everybody who takes part: those who wait, and those they wait for."""
    return set(edges).union(*edges.values())


def trees_of(edges: Mapping[int, Collection[Holder]]) -> dict[Holder, dict[int, int]]:
    """For each who waits for nobody: all who wait for them, and over how many steps.

    Sessions that wait for each other in a circle are a deadlock that the server has not broken
    yet; the first of them stands for all.
    """
    behind: dict[Holder, list[int]] = {}
    for pid, holders in edges.items():
        for holder in holders:
            behind.setdefault(holder, []).append(pid)
    trees = {root: _depths(root, behind) for root in behind if root not in edges}
    left = set(edges).difference(*trees.values())
    while left:
        root = min(left)
        trees[root] = _depths(root, behind)
        left -= {root, *trees[root]}
    return trees


def _depths(root: Holder, behind: Mapping[Holder, list[int]]) -> dict[int, int]:
    depths: dict[int, int] = {}
    level: list[Holder] = [root]
    depth = 0
    while level:
        depth += 1
        following = {pid for holder in level for pid in behind.get(holder, ())}
        level = [pid for pid in following if pid not in depths and pid != root]
        depths.update((pid, depth) for pid in level if isinstance(pid, int))
    return depths


def _holders(wait: _Wait, prepared: frozenset[str]) -> frozenset[Holder]:
    holders: set[Holder] = set(wait.blockers or ())
    if 0 in holders and prepared:  # it stays 0 where it was gone when we asked which
        holders = (holders - {0}) | prepared
    return frozenset(holders)


def _prepared(
    probe: Probe, waits: Mapping[int, _Wait]
) -> tuple[dict[Holder, _Person], dict[int, frozenset[str]]]:
    """The prepared transactions that some wait for, and which of them each waits for."""
    pids = [wait.pid for wait in waits.values() if 0 in (wait.blockers or ())]
    people: dict[Holder, _Person] = {}
    holders: dict[int, frozenset[str]] = {}
    for pid, wanted, held, gid, owner, seconds in (
        probe.rows("prepared_holders", {"pids": pids}) if pids else ()
    ):
        if held in _CONFLICTS.get(wanted, ()):
            people[gid] = _Person(owner, None, "prepared", seconds, None)
            holders[pid] = holders.get(pid, frozenset()) | {gid}
    return people, holders


def _people(probe: Probe, pids: Collection[int]) -> dict[Holder, _Person]:
    rows = probe.rows("sessions", {"pids": list(pids)}) if pids else []
    return {
        pid: _Person(
            user,
            None if hidden else application,
            state,
            transaction_seconds,
            None if text is None else strip_literals(text.decode("utf-8", errors="replace")),
        )
        for pid, user, application, state, transaction_seconds, text, hidden in rows
    }


def _tree(
    root: Holder,
    depths: Mapping[int, int],
    waits: Mapping[int, _Wait],
    people: Mapping[Holder, _Person],
) -> Blocking:
    blocker = people.get(root, _NOBODY)
    queue = sorted(depths, key=lambda pid: (depths[pid], -waits[pid].seconds, pid))
    return Blocking(
        blocker_pid=root if isinstance(root, int) else 0,
        prepared=root if isinstance(root, str) else None,
        user=blocker.user,
        application=blocker.application,
        state=blocker.state,
        seconds=max((waits[pid].seconds for pid in depths), default=0.0),
        transaction_seconds=blocker.transaction_seconds,
        statement=blocker.statement,
        blocked_pids=tuple(sorted(depths)),
        depth=max(depths.values(), default=0),
        waiters=tuple(
            _waiter(waits[pid], depths[pid], people.get(pid, _NOBODY)) for pid in queue[:_TOLD]
        ),
    )


def _waiter(wait: _Wait, depth: int, person: _Person) -> Waiter:
    return Waiter(
        pid=wait.pid,
        user=person.user,
        application=person.application,
        seconds=max(0.0, wait.seconds),
        lock=f"{wait.mode} on {wait.target}",
        statement=person.statement,
        # Parallel workers of one query make their leader's process id come more than once.
        waits_for=tuple(sorted(set(wait.blockers or ()))),
        depth=depth,
    )
