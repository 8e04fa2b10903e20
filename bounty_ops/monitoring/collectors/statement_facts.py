"""What is told of statements."""

import math

from pydantic import BaseModel, ConfigDict

from bounty_ops.monitoring.result import Entry, UtcTime


class SlowStatement(Entry):
    """One entry of pg_stat_statements; counters run since `since` or the last reset."""

    query_id: str
    """Text, because not every JSON reader keeps 64 bits of a number."""
    fingerprint: str = ""
    """The same for the same statement on every server and version; see `fingerprints`."""
    user: str
    toplevel: bool
    calls: int
    rows: int
    total_seconds: float
    mean_seconds: float
    max_seconds: float
    shared_blocks_hit: int
    shared_blocks_read: int
    temp_blocks_written: int
    since: UtcTime | None
    """When the entry was made; None before version 1.11 of the extension."""
    interval_calls: int | None = None
    """What is known of the time since the collection before; None where that is nothing."""
    interval_seconds: float | None = None
    interval_rows: int | None = None
    text: str
    """The statement without literals."""

    @property
    def subject(self) -> str:
        """Query, role and nesting: what PostgreSQL keeps an entry for."""
        return f"statement {self.query_id} {'top' if self.toplevel else 'nested'} {self.user}"


class StatementStatistics(Entry):
    """How far the list of statements can be trusted."""

    available: bool
    entries: int | None = None
    """Entries of this database that the role may see."""
    hidden: int | None = None
    """Entries of this database that it may not see."""
    room: int | None = None
    """For how many entries of all databases there is room (`pg_stat_statements.max`)."""
    evicted: int | None = None
    """How often the server threw entries away to make room, since `since`."""
    since: UtcTime | None = None


class StatementInterval(BaseModel):
    """What all statements did since the collection before, and how much of it is known.

    Nested statements are left out of the sums: their time is part of the statement's that called
    them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: UtcTime
    until: UtcTime
    """Both by the server's clock. One that begins before the collection before it was taken
    replaces it: two collections at a time do that."""
    calls: int
    statement_seconds: float
    rows: int
    calls_coverage: float
    """About the share of all calls that is known; what is not is estimated."""
    calls_coverage_least: float | None = None
    """The share that is known at least; None where nothing limits what is missing."""
    seconds_coverage: float
    """The share of the time that is known, hidden statements apart."""
    lost_calls: float
    """About so many calls were counted by entries that are gone."""
    lost_seconds: float
    hidden_calls: int
    """Calls of statements that the role may not see."""
    evictions: int | None
    made_anew: int
    vanished: int
    unseen: int
    """About so many entries came and went in between."""
    unproven_calls: int = 0
    """So many calls more would be missing if all entries had been reset of which nothing says that
    they went on; 0 from version 1.11 of the extension on, which says it."""

    @property
    def calls_known(self) -> str:
        """How many of the calls are known, for people: never rounded up."""
        about, least = _percent(self.calls_coverage), self.calls_coverage_least
        if least is None:
            return f"about {about} (how many at least is unknown)"
        if least < self.calls_coverage:
            return f"about {about} (at least {_percent(least)})"
        return about


def _percent(share: float) -> str:
    return f"{math.floor(100 * share)}%"


class RestOfStatements(BaseModel):
    """All top-level statements that are not listed, together."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    entries: int
    calls: int
    total_seconds: float
    rows: int
    interval_calls: int | None
    interval_seconds: float | None
    interval_rows: int | None
