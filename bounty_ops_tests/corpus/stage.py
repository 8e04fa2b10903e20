"""One backup, and one restored copy of it that every case may change."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.fingerprint import fingerprint_tables
from bounty_ops.postgres.inventory import read_inventory
from bounty_ops.postgres.pinned import pin_settings
from bounty_ops.postgres.sequences import read_sequences
from bounty_ops.restore import Judgement, Observation, judge
from bounty_ops.restore.observing import observe
from bounty_ops_tests.fix_backups import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest
    from bounty_ops_tests.fix_backups import Backups


@dataclass(frozen=True)
class Stage:
    """What the cases of the corpus work with; none of them may leave a trace on it."""

    backups: Backups
    manifest: Manifest
    archive: bytes
    other: Manifest
    """Of an earlier backup of nearly the same database."""
    other_archive: bytes
    cluster: DatabaseUrl
    """Of the throw-away server."""
    copy: DatabaseUrl
    """Restored from the archive."""
    observed: Observation
    """What the copy holds."""

    def judged_after(self, statements: Sequence[str]) -> Judgement:
        """What is said of the copy after these statements; they are taken back."""
        with connect(self.copy, application_name="corpus", autocommit=False) as connection:
            for statement in statements:
                connection.execute(statement.encode())
            pin_settings(connection)
            found = Observation(
                tables=fingerprint_tables(connection),
                sequences=read_sequences(connection),
                inventory=read_inventory(connection),
            )
            connection.rollback()
        return judge(self.manifest, found)

    def judged_for_good(self, statements: Sequence[str]) -> Judgement:
        """The same with a copy of the copy, so that no transaction is needed."""
        with self.another_copy() as copy:
            run(copy, *(one.replace("{copy}", copy.database) for one in statements))
            return judge(self.manifest, observe(copy))

    @contextmanager
    def another_copy(self) -> Iterator[DatabaseUrl]:
        """A copy of the copy."""
        copy = self.copy.with_database(f"copy_{secrets.token_hex(6)}")
        run(self.cluster, f"CREATE DATABASE {copy.database} TEMPLATE {self.copy.database}")
        try:
            yield copy
        finally:
            run(self.cluster, f"DROP DATABASE {copy.database} WITH (FORCE)")
