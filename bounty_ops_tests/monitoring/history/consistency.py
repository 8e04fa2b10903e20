"""What holds of history at every moment, and when two of them say the same."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from bounty_ops.monitoring.history import Point, latest_collections, series, subjects
from bounty_ops_tests.monitoring.history.conftest import DAY

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from bounty_ops.monitoring import CollectionResult

#: Each finds what must not be, also in the moment after a kill.
_NEVER = {
    "samples of a collection that is not there": (
        "SELECT s.collection_id FROM bounty_ops.sample s WHERE NOT EXISTS (SELECT FROM "
        "bounty_ops.collection c WHERE c.id = s.collection_id AND c.taken_at = s.taken_at) AND "
        # Collections of a day are dropped first, then its samples.
        "NOT EXISTS (SELECT FROM bounty_ops.sample_rolled_day "
        "WHERE day = (s.taken_at AT TIME ZONE 'UTC')::date)"
    ),
    "a chain that does not begin with a key frame": (
        "SELECT page_id FROM (SELECT DISTINCT ON (page_id, (taken_at AT TIME ZONE 'UTC')::date) "
        "page_id, is_key FROM bounty_ops.sample ORDER BY page_id, "
        "(taken_at AT TIME ZONE 'UTC')::date, collection_id) first WHERE NOT is_key"
    ),
    "a page that is not there": (
        "SELECT page_id FROM bounty_ops.sample "
        "WHERE page_id NOT IN (SELECT id FROM bounty_ops.sample_page)"
    ),
    "a rollup of a subject that is not there": (
        "SELECT subject_id FROM (SELECT subject_id FROM bounty_ops.sample_5min UNION ALL "
        "SELECT subject_id FROM bounty_ops.sample_hourly) every "
        "WHERE subject_id NOT IN (SELECT id FROM bounty_ops.sample_subject)"
    ),
    "a collection whose texts are not there": (
        "SELECT id FROM bounty_ops.collection "
        "WHERE families_id NOT IN (SELECT id FROM bounty_ops.sample_text) "
        "OR unknown_id NOT IN (SELECT id FROM bounty_ops.sample_text)"
    ),
    "a subject's day in two rows of one resolution": (
        "SELECT subject_id FROM bounty_ops.sample_hourly GROUP BY subject_id, "
        "(starts_at AT TIME ZONE 'UTC')::date HAVING count(*) > 1"
    ),
    "one resolution of a day without the other": (
        "SELECT starts_at FROM bounty_ops.sample_5min "
        "EXCEPT SELECT starts_at FROM bounty_ops.sample_hourly"
    ),
    "a partition that is not attached": (
        "SELECT relname FROM pg_class WHERE relnamespace = 'bounty_ops'::regnamespace "
        r"AND relkind = 'r' AND relname ~ '_\d{8}$' "
        "AND oid NOT IN (SELECT inhrelid FROM pg_inherits)"
    ),
    "a lock that nobody holds": (
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    ),
}


def wrong(operations: Engine) -> dict[str, list[object]]:
    """What is not as it has to be, while nobody works."""
    with operations.connect() as connection:
        found = {
            what: list(connection.scalars(text(query.replace(":", r"\:"))))
            for what, query in _NEVER.items()
        }
    return {what: rows for what, rows in found.items() if rows}


def kept(operations: Engine, environment: str, now: datetime) -> list[CollectionResult]:
    """All collections, newest first, as they were taken."""
    return latest_collections(operations, environment, 100_000, now=now)


def charts(
    operations: Engine, environment: str, since: datetime, until: datetime
) -> dict[tuple[str, ...], list[Point]]:
    """What every chart shows that there can be; of five minutes of the last week."""
    found: dict[tuple[str, ...], list[Point]] = {}
    for resolution, begin in (("hourly", since), ("5min", max(since, until - 7 * DAY))):
        for family, measures in (("relations", ("size", "rows", "total")), ("vitals", ("used",))):
            for subject in subjects(operations, environment, family):
                for measure in measures:
                    shown = series(
                        operations, environment, family, subject, measure,
                        since=begin, until=until + timedelta(minutes=1),
                        resolution=resolution,  # type: ignore[arg-type] # one of them
                    )  # fmt: skip
                    known = [each for each in shown.points if each.value is not None]
                    if known:
                        found[resolution, family, subject, measure] = known
    return found
