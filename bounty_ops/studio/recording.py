"""No edit without a record: it is written between what the database checked and the commit."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import event, inspect

from bounty_ops.errors import BountyOpsError
from bounty_ops.journal import new_id
from bounty_ops.journal.edits import EditRecord, write_edit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, UOWTransaction, sessionmaker

    from bounty_ops.object_store import ObjectStore
    from bounty_ops.studio.access import Access

Operation = Literal["insert", "update", "delete"]
_CHANGES: Final = "bounty_ops.changes"
_WRITTEN: Final = "bounty_ops.written"


@dataclass(frozen=True)
class Change:
    """One row that a session has changed; never a value of it but its key."""

    operation: Operation
    row: Any
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Recorder:
    """Writes records of edits into the bucket."""

    store: ObjectStore
    access: Access

    def write(self, change: Change) -> EditRecord:
        """Record what is about to be committed.

        Raises:
            ObjectStoreError: the bucket did not take it; the change must not be committed.
        """
        now = datetime.now(UTC)
        mapper = inspect(change.row).mapper
        table = mapper.local_table
        record = EditRecord(
            id=new_id(now),
            environment=self.access.environment,
            operator=self.access.operator,
            at=now,
            operation=change.operation,
            table=f"{table.schema or 'public'}.{table.name}",
            key={
                column.name: _text(getattr(change.row, mapper.get_property_by_column(column).key))
                for column in mapper.primary_key
            },
            columns=change.columns,
            address=self.access.address,
            protected=self.access.protected,
        )
        write_edit(self.store, record)
        return record

    def take_back(self, record: EditRecord) -> None:
        """Record that a commit failed."""
        now = datetime.now(UTC)
        again = record.model_copy(update={"id": new_id(now), "at": now, "takes_back": record.id})
        write_edit(self.store, again)


def record_before_commit(sessions: sessionmaker[Session], recorder: Recorder) -> None:
    """Let every session of `sessions` record its changes; one that cannot is not committed."""

    @event.listens_for(sessions, "before_flush")
    def note(session: Session, _context: UOWTransaction, _instances: object) -> None:
        found = session.info.setdefault(_CHANGES, [])
        found.extend(Change("insert", row, _written_columns(row)) for row in session.new)
        found.extend(
            Change("update", row, _written_columns(row))
            for row in session.dirty
            if session.is_modified(row)
        )
        found.extend(Change("delete", row, ()) for row in session.deleted)

    @event.listens_for(sessions, "before_commit")
    def record(session: Session) -> None:
        session.flush()  # what the database refuses needs no record
        written = session.info.setdefault(_WRITTEN, [])
        written.extend(recorder.write(change) for change in session.info.pop(_CHANGES, []))

    @event.listens_for(sessions, "after_commit")
    def forget(session: Session) -> None:
        session.info.pop(_WRITTEN, None)

    @event.listens_for(sessions, "after_rollback")
    def take_back(session: Session) -> None:
        for written in session.info.pop(_WRITTEN, []):
            with suppress(BountyOpsError):  # the failure that led here is the one to tell
                recorder.take_back(written)


def _written_columns(row: object) -> tuple[str, ...]:
    state = inspect(row)
    assert state is not None  # noqa: S101 - a session holds mapped rows only
    return tuple(
        column.name
        for attribute in state.attrs
        if attribute.history.added
        for column in state.mapper.column_attrs[attribute.key].columns
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
