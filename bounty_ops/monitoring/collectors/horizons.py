"""Because of whom VACUUM cannot remove dead rows: sessions, prepared transactions, slots, standbys.

Whatever holds the horizon back makes every table grow, and in the end the server stops so as not
to run out of transaction ids; a forgotten prepared transaction or slot does it for weeks.
"""

from itertools import groupby
from typing import Final, Literal

from bounty_ops.monitoring.probe import Probe
from bounty_ops.monitoring.result import Entry

#: Of each kind the oldest ones are told; behind them others could not remove anything either.
_MOST: Final = 3
#: A session that just runs a statement is no news; a younger one that holds back more is.
_NEWS_XIDS: Final = 10_000


class Horizon(Entry):
    """Somebody because of whom VACUUM cannot remove dead rows."""

    kind: Literal["backend", "prepared", "slot", "standby"]
    name: str
    """`pid 4711`, the prepared transaction's identifier, or the name of the slot."""
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


def collect_horizons(probe: Probe) -> tuple[tuple[Horizon, ...], int]:
    """The oldest of each kind, oldest first; and the age of the oldest of all, 0 without any.

    Raises:
        psycopg.Error: the statement failed.
    """
    held = [
        Horizon(
            kind=kind,
            name=name,
            user=user,
            application=application,
            state=state,
            xid_age=age,
            catalog_only=catalog_only,
            seconds=seconds,
        )
        for kind, name, user, application, state, age, catalog_only, seconds in probe.rows(
            "horizons"
        )
    ]
    oldest = max((each.xid_age for each in held), default=0)
    news = [each for each in held if _is_news(each, probe.policy.slow_query_seconds)]
    return newest_last(news), oldest


def newest_last(held: list[Horizon]) -> tuple[Horizon, ...]:
    """The oldest few of each kind, oldest first."""
    by_kind = sorted(held, key=lambda each: (each.kind, -each.xid_age, -(each.seconds or 0)))
    chosen = [
        each
        for _, kind in groupby(by_kind, key=lambda each: each.kind)
        for each in list(kind)[:_MOST]
    ]
    return tuple(sorted(chosen, key=lambda each: (-each.xid_age, each.subject)))


def _is_news(held: Horizon, slow_query_seconds: float) -> bool:
    if held.kind != "backend" or held.xid_age >= _NEWS_XIDS:
        return True
    return (held.seconds or 0) >= slow_query_seconds
