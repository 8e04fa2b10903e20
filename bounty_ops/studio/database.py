"""The sessions that the studio works in: one that cannot write, and one that records."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, sessionmaker

from bounty_ops.environments.masking import Masking
from bounty_ops.postgres.connect import engine, translated
from bounty_ops.studio.recording import record_before_commit
from bounty_ops.studio.secrets import secrets_of
from bounty_ops.studio.values import take_what_comes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.studio.access import Access
    from bounty_ops.studio.recording import Recorder
    from bounty_ops.studio.secrets import Secrets

APPLICATION: Final = "bounty-ops studio"
#: A page that takes longer is of no use to whoever waits for it, and a burden to the server.
STATEMENT_MILLISECONDS: Final = 15_000
#: An edit waits no longer for a row that somebody else has locked.
LOCK_MILLISECONDS: Final = 3_000


@dataclass(frozen=True)
class Database:
    """One environment's database as the studio's pages see it."""

    url: DatabaseUrl
    access: Access
    reader: Engine
    reading: sessionmaker[Session]
    editing: sessionmaker[Session] | None
    """None: nothing can be changed, whatever a page asks for."""
    secrets: Secrets | None
    """Which columns are hidden; None: none."""


@contextmanager
def opened(
    url: DatabaseUrl,
    access: Access,
    recorder: Recorder | None,
    masking: Masking | None = None,
) -> Iterator[Database]:
    """Engines for the length of the block; nothing is connected yet.

    `recorder` writes down what is about to be committed; without one nothing can be edited.
    `masking` says which columns are secrets; None: the preset.
    """
    reader = _reader(url)
    writer = _writer(url) if access.may_edit and recorder is not None else None
    editing: sessionmaker[Session] | None = None
    if writer is not None and recorder is not None:
        editing = sessionmaker(writer, expire_on_commit=False)
        record_before_commit(editing, recorder)
    secrets = None if access.shows_secrets else secrets_of(masking or Masking())
    try:
        yield Database(url, access, reader, sessionmaker(reader), editing, secrets)
    finally:
        reader.dispose()
        if writer is not None:
            writer.dispose()


def _reader(url: DatabaseUrl) -> Engine:
    made = engine(url, application_name=APPLICATION, reuse=True)
    _prepare(made, "SET default_transaction_read_only = on")
    # Of each transaction besides: a pooler may hand out sessions that were never prepared.
    return made.execution_options(postgresql_readonly=True)


def _writer(url: DatabaseUrl) -> Engine:
    made = engine(url, application_name=f"{APPLICATION} (edit)")
    _prepare(made)
    return made


def _prepare(made: Engine, *more: str) -> None:
    @event.listens_for(made, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's connection
        take_what_comes(connection)
        with connection.cursor() as cursor:
            for statement in (
                f"SET statement_timeout = {STATEMENT_MILLISECONDS}",
                f"SET lock_timeout = {LOCK_MILLISECONDS}",
                # Times with a zone are shown and taken in UTC.
                "SET timezone = 'UTC'",
                *more,
            ):
                cursor.execute(statement)
        connection.commit()


def answering(database: Database) -> None:
    """Raise PostgresError now if the database does not answer, and not on the first page."""
    with translated(database.url), database.reader.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
