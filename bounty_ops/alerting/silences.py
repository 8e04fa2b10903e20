"""Silences as people make, end and look at them; what they keep quiet is decided in `quiet`.

The operations database must be at its head revision. Errors are SQLAlchemy's but for those named;
the caller wraps the use of the engine in `bounty_ops.postgres.connect.translated`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select, update

from bounty_ops.errors import UsageError
from bounty_ops.schema.ops import Silence

if TYPE_CHECKING:
    from sqlalchemy import Engine

LONGEST_SILENCE: Final = timedelta(days=90)


@dataclass(frozen=True)
class SilenceShown:
    """A silence as it is shown."""

    id: int
    environment: str
    rule: str
    subject: str
    reason: str
    created_by: str
    created_at: datetime
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None


def require_sensible_silence(reason: str, lasts: timedelta) -> None:
    """Refuse a silence that nobody could account for; no server is needed to know.

    Raises:
        UsageError: it has no reason, lasts for no time at all, or longer than `LONGEST_SILENCE`.
    """
    if not reason.strip():
        raise UsageError(
            "a silence needs a reason", hint="Say why with --reason; other people will read it."
        )
    if not timedelta(0) < lasts <= LONGEST_SILENCE:
        raise UsageError(
            f"a silence lasts longer than nothing, and at most {LONGEST_SILENCE.days} days",
            hint="What is never to be told is switched off in bounty_ops.toml: enabled = false.",
        )


def silence(
    engine: Engine,
    *,
    environment: str,
    rule: str,
    subject: str,
    reason: str,
    by: str,
    starts_at: datetime,
    lasts: timedelta,
) -> SilenceShown:
    """Keep incidents quiet for a while.

    Args:
        engine: of the operations database.
        environment: a pattern of names, as of files; so are `rule` and `subject`.
        rule: see there.
        subject: see there.
        reason: why; other people will read it.
        by: who says so.
        starts_at: when it begins.
        lasts: for how long, which has to be said.

    Raises:
        UsageError: it has no reason, or it is too long.
    """
    require_sensible_silence(reason, lasts)
    values = {
        "environment": environment,
        "rule": rule,
        "subject": subject,
        "reason": reason.strip(),
        "created_by": by,
        "starts_at": starts_at,
        "ends_at": starts_at + lasts,
    }
    with engine.begin() as connection:
        row = connection.execute(
            insert(Silence).values(values).returning(Silence.id, Silence.created_at)
        ).one()
    return SilenceShown(id=row.id, created_at=row.created_at, **values)  # type: ignore[arg-type] # as they are named


def unsilence(engine: Engine, identity: int, *, by: str, now: datetime) -> SilenceShown:
    """End a silence before its time.

    Raises:
        UsageError: there is none by that number, or it is over.
    """
    with engine.begin() as connection:
        row = connection.execute(
            update(Silence)
            .where(Silence.id == identity, Silence.ended_at.is_(None), Silence.ends_at > now)
            .values(ended_at=now, ended_by=by)
            .returning(Silence.__table__)
        ).one_or_none()
    if row is None:
        raise UsageError(
            f"no silence {identity} is in force",
            hint="bounty-ops alerts list shows those that are.",
        )
    return SilenceShown(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def silences(
    engine: Engine, *, now: datetime, environment: str | None = None
) -> list[SilenceShown]:
    """The silences that are in force or will be: all, or those that an environment is under."""
    statement = (
        select(Silence.__table__)
        .where(Silence.ends_at > now, Silence.ended_at.is_(None))
        .order_by(Silence.id)
    )
    with engine.connect() as connection:
        found = [SilenceShown(**row._mapping) for row in connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name
    return [
        each for each in found if environment is None or fnmatchcase(environment, each.environment)
    ]
