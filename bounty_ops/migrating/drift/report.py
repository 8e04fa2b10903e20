"""A live database, the migrations that made it, and the models: where the three disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bounty_ops.migrating.catalog import read_catalog
from bounty_ops.migrating.drift.comparison import differences
from bounty_ops.migrating.drift.expected import expected_catalog
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.lock import APPLICATION_NAME
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, Environment
    from bounty_ops.migrating.catalog import Catalog
    from bounty_ops.migrating.drift.model import Difference
    from bounty_ops.migrating.lineage import Lineage

Against = Literal["models", "migrations", "both"]

#: Reading is a second's work; behind somebody's ALTER TABLE it would wait with it.
_LOCK_TIMEOUT_MS: Final = 10_000
_STATEMENT_TIMEOUT_MS: Final = 120_000


@dataclass(frozen=True)
class DriftReport:
    """What a comparison found."""

    target: str
    """``host:port/database``."""
    against: Against
    revision: str | None
    """What the database is recorded to be at."""
    head: str
    pending: tuple[str, ...]
    fingerprint: str
    expected_fingerprint: str
    differences: tuple[Difference, ...]
    """Of the database from what it should be."""
    models_and_migrations: tuple[Difference, ...] | None
    """Of what the migrations lead to from what the models declare; None: not compared."""

    @property
    def drifted(self) -> bool:
        """Whether the database is not what it should be."""
        return bool(self.differences)

    def document(self) -> dict[str, object]:
        """As JSON values."""
        between = self.models_and_migrations
        return {
            "target": self.target,
            "against": self.against,
            "revision": self.revision,
            "head": self.head,
            "pending": list(self.pending),
            "fingerprint": self.fingerprint,
            "expected_fingerprint": self.expected_fingerprint,
            "differences": [each.document() for each in self.differences],
            "models_and_migrations": (
                None if between is None else [each.document() for each in between]
            ),
        }


def drift(
    environment: Environment,
    *,
    against: Against = "both",
    grants: bool = False,
    state_dir: Path | None = None,
    server: DatabaseUrl | None = None,
) -> DriftReport:
    """Compare an environment's database with what it should be; see `drift_at`."""
    return drift_at(
        environment.require_url(),
        against=against,
        grants=grants,
        state_dir=state_dir,
        server=server,
    )


def drift_at(
    url: DatabaseUrl,
    *,
    against: Against = "both",
    grants: bool = False,
    state_dir: Path | None = None,
    server: DatabaseUrl | None = None,
    lineage: Lineage = BOUNTY,
) -> DriftReport:
    """Compare a database with what it should be.

    That is what its own revision says (a revision that is still pending is no drift); of a
    database without a revision, what the newest one says. Compared with ``both``, models and
    migrations are compared with each other too; with ``models``, the database is compared with
    those and with nothing else.

    Args:
        url: of the database; it is only read.
        against: what it should be like.
        grants: whether owners and grants are compared as well.
        state_dir: where what is expected is remembered; None: the project's state directory.
        server: a server given for drills, for where none can be started (see `expected_catalog`).
        lineage: whose models and migrations.

    Raises PostgresError, MigrationError, and UnknownRevisionError for a database that a newer
    version has migrated.
    """
    facts = read_facts(url, lineage)
    revisions = revisions_of(lineage)
    pending = tuple(revision.id for revision in revisions.after(facts.revision))
    found = live_catalog(url)

    def wanted(source: Literal["models", "migrations"], revision: str | None) -> Catalog:
        return expected_catalog(
            found.major, source, revision, state_dir=state_dir, server=server, lineage=lineage
        )

    expected = (
        wanted("models", None) if against == "models" else wanted("migrations", facts.revision)
    )
    between = None
    if against == "both":
        between = differences(wanted("models", None), wanted("migrations", None))
    return DriftReport(
        target=url.address(),
        against=against,
        revision=facts.revision,
        head=revisions.head,
        pending=pending if facts.revision is not None else (),
        fingerprint=found.fingerprint,
        expected_fingerprint=expected.fingerprint,
        differences=differences(expected, found, grants=grants),
        models_and_migrations=between,
    )


def live_catalog(url: DatabaseUrl) -> Catalog:
    """Read the catalog of a live database, without waiting for long behind anybody.

    Raises PostgresError.
    """
    with connect(
        url,
        application_name=APPLICATION_NAME,
        read_only=True,
        statement_timeout_ms=_STATEMENT_TIMEOUT_MS,
        lock_timeout_ms=_LOCK_TIMEOUT_MS,
    ) as connection:
        return read_catalog(connection)
