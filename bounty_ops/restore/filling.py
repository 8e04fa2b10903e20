"""Filling the copy of a restore, comparing it with the manifest, and collecting statistics."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg import sql

from bounty_ops.errors import RestoreError
from bounty_ops.postgres.connect import connect
from bounty_ops.restore import beside, loading
from bounty_ops.restore.comparing import Comparison, compare
from bounty_ops.restore.selection import Selection, choose
from bounty_ops.restore.target import APPLICATION_NAME

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.restore.fetching import Archives
    from bounty_ops.restore.work import Work

    Connection = psycopg.Connection[TupleRow]

logger = logging.getLogger(__name__)


def filled(
    work: Work, connection: Connection, copy: beside.Beside, archives: Archives
) -> Comparison:
    """Make the copy and fill it: in parallel first, one entry after the other if that differs.

    Jobs of pg_restore get into each other's way: two that attach partitions' indexes at the same
    moment leave the index of the partitioned table invalid, and no error is reported.
    """
    jobs = work.plan.wishes.jobs
    if jobs > 1:
        try:
            comparison = _attempt(work, connection, copy, archives, jobs)
        except RestoreError as error:
            logger.info("restoring in parallel failed (%s), now one after the other", error)
        else:
            if not comparison.grave:
                return comparison
            logger.info("restored in parallel the copy differs, now one entry after the other")
    return _attempt(work, connection, copy, archives, 1)


def _attempt(
    work: Work, connection: Connection, copy: beside.Beside, archives: Archives, jobs: int
) -> Comparison:
    departures = beside.make_copy(connection, copy, work.about)
    work.notes += [one for one in departures if one not in work.notes]
    url = work.target.url.with_database(copy.name)
    schemas = work.manifest.inventory.get("schemas", [])
    if not any(line.startswith("public: ") for line in schemas):
        with connect(url, application_name=APPLICATION_NAME) as inside:
            inside.execute("DROP SCHEMA public")
    return load_and_compare(work, url, archives, loading.Manner(jobs=jobs))


def load_and_compare(
    work: Work, url: DatabaseUrl, archives: Archives, manner: loading.Manner
) -> Comparison:
    """Restore into an empty database as it is wished, and compare."""
    wishes = work.plan.wishes
    selection = _selection(work, archives)
    work.watching.step("restoring")
    begun = time.monotonic()
    manner = replace(
        manner,
        no_owner=wishes.no_owner,
        without_statistics=work.treatment is not None,
        chosen=selection.written(archives.main.parent) if selection else None,
    )
    shards = archives.chosen_shards(selection.with_rows if selection else None)
    loading.load(work.programs, url, archives.main, shards, manner, progress=work.watching.restored)
    work.restore_seconds = time.monotonic() - begun
    work.watching.step("comparing with the manifest")
    begun = time.monotonic()
    comparison = compare(
        work.manifest,
        url,
        no_owner=wishes.no_owner,
        other_major=work.plan.state.major != work.manifest.server_major,
        narrowed=selection.narrowed if selection else None,
    )
    work.compare_seconds = time.monotonic() - begun
    return comparison


def _selection(work: Work, archives: Archives) -> Selection | None:
    wishes = work.plan.wishes
    if not wishes.tables:
        return None
    selection = choose(
        work.programs,
        archives.main,
        wishes.tables,
        work.manifest,
        with_references=wishes.with_references,
    )
    work.notes += [one for one in selection.explained if one not in work.notes]
    return selection


def analyze(url: DatabaseUrl) -> None:
    """Collect statistics for the planner, which no archive brings along."""
    with connect(url, application_name=APPLICATION_NAME) as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute(sql.SQL("ANALYZE"))
