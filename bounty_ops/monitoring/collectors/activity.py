"""What is going on: long queries and transactions, who waits for whom, who holds vacuum back."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from bounty_ops.monitoring.result import Cadence, Entry, FamilyResult


class LongSession(Entry):
    """A session of this database that is at something for `slow_query_seconds` or longer."""

    pid: int
    user: str
    application: str
    state: str
    seconds: float
    """How long its query runs; of an idle transaction, how long it has been idle."""
    transaction_seconds: float | None
    wait_event: str | None
    statement: str
    """The statement without literals; of an idle transaction, its last one."""

    @property
    def subject(self) -> str:
        """Its process id at the server."""
        return f"pid {self.pid}"


class Waiter(BaseModel):
    """A session that waits for a lock."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    user: str | None
    application: str | None
    seconds: float | None
    """How long it has been waiting; None where the server does not say."""
    lock: str
    """What it wants: `AccessExclusiveLock on public.bounty`, `ShareLock on transactionid 734`."""
    statement: str | None
    """The statement without literals; None where the role may not see it."""
    waits_for: tuple[int, ...]
    """Whom it waits for, lock queues included; 0 stands for a prepared transaction."""
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
    seconds: float | None
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

    @property
    def subject(self) -> str:
        """The blocker."""
        if self.prepared is not None:
            return f"blocked by prepared {self.prepared}"
        return f"blocked by pid {self.blocker_pid}"


class Horizon(Entry):
    """Somebody because of whom VACUUM cannot remove dead rows."""

    kind: Literal["backend", "prepared", "slot", "standby"]
    name: str
    """`pid 4711`, the prepared transaction's identifier, or the name of the slot or standby."""
    user: str | None
    application: str | None
    state: str | None
    xid_age: int
    """How many transactions ago the oldest one began whose view it keeps."""
    catalog_only: bool
    """Whether it holds back the system catalogues only (a logical slot)."""
    seconds: float | None
    """For how long, where the server says: the transaction's age, a slot's inactivity."""

    @property
    def subject(self) -> str:
        """Kind and name."""
        return f"{self.kind} {self.name}"


class Activity(FamilyResult):
    """Sessions of this database, and what holds others up.

    Of a role that may not see other roles' sessions, the longest ones are None: what it sees
    stands in the lists all the same.
    """

    family: ClassVar[str] = "activity"
    lists: ClassVar[tuple[str, ...]] = ("sessions", "blocking", "horizons")
    cadence: ClassVar[Cadence] = "vitals"

    hidden: int
    """Sessions of this database that the role may not look into."""
    longest_query_seconds: float | None
    longest_transaction_seconds: float | None
    longest_idle_in_transaction_seconds: float | None
    """All three: 0 where there is none, None where sessions are hidden."""
    blocked: int
    """Sessions of this database that wait for a lock somebody else holds or waits for."""
    longest_wait_seconds: float | None
    """How long the longest of them has been waiting; 0 where nobody waits."""
    prepared: int
    """Prepared transactions of this database that nobody has committed or rolled back yet."""
    oldest_prepared_seconds: float | None
    oldest_xmin_age: int | None
    """The age of the oldest horizon; 0 where nobody holds one, None where some are hidden."""
    sessions: tuple[LongSession, ...]
    blocking: tuple[Blocking, ...]
    horizons: tuple[Horizon, ...]
