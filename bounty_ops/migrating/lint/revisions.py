"""Linting Alembic revisions: each as the SQL that it renders to, the earlier ones known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.migrating.lint.engine import DEFAULT_MAJOR, lint_sql
from bounty_ops.migrating.runner import render_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bounty_ops.migrating.lint.finding import Finding
    from bounty_ops.migrating.lint.schema import Catalogue
    from bounty_ops.migrating.revisions import Revision, Revisions


def lint_revisions(
    revisions: Revisions,
    pending: Sequence[Revision],
    *,
    catalogue: Catalogue | None = None,
    pg_major: int = DEFAULT_MAJOR,
    ignore: Iterable[str] = (),
) -> dict[str, tuple[Finding, ...]]:
    """What each pending revision does, by its id; lines are those of the rendered SQL.

    A catalogue shows the database before the first of `pending`: the revisions before that one are
    in it. Without a catalogue they are the history.
    """
    ids = {each.id for each in pending}
    known: list[str] = []
    found: dict[str, tuple[Finding, ...]] = {}
    for revision in revisions.order:
        if revision.id not in ids and catalogue is not None:
            continue
        sql = render_sql(revisions.directory, revision.previous, revision.id)
        if revision.id in ids:
            found[revision.id] = lint_sql(
                sql,
                history=known,
                catalogue=catalogue,
                pg_major=pg_major,
                managed=True,
                ignore=ignore,
            )
        known.append(sql)
    return found
