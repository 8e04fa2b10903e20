"""What a migration would do: a value with a digest, computed from facts alone.

The digest stands for what would be done and where: environment and database, its revision and the
fingerprint of its schema, the revision files and their SQL. What people think of it (findings,
predictions, gates) is no part of it and may change while it holds; see `migrating.assessing`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounty_ops.journal.evidence import RevisionFile
from bounty_ops.migrating.errors import UnknownRevisionError, UnmanagedDatabaseError
from bounty_ops.migrating.facts import read_facts, require_unedited
from bounty_ops.migrating.lineage import BOUNTY, LINEAGES
from bounty_ops.migrating.live import schema_fingerprint
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.migrating.runner import render_sql

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounty_ops.environments import DatabaseUrl, Environment
    from bounty_ops.migrating.facts import DatabaseFacts
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.revisions import Revisions

_NAMED_TABLES = 5


@dataclass(frozen=True)
class PendingRevision:
    """A migration that the database has not had yet."""

    revision: str
    message: str
    sql: str
    sha256: str
    """Of its file, with those that carry its name."""


@dataclass(frozen=True)
class MigrationPlan:
    """What would be done to one database, and a digest that stands for all of it."""

    environment: str
    target: str
    """``host:port/database``"""
    current: str | None
    head: str
    pending: tuple[PendingRevision, ...]
    digest: str
    fingerprint: str | None = None
    """Of the live schema; None where nothing is pending, and for the operations database."""

    @property
    def files(self) -> tuple[RevisionFile, ...]:
        """The pending files, in their order: what staging and a rehearsal have to have had."""
        return tuple(
            RevisionFile(revision=step.revision, sha256=step.sha256) for step in self.pending
        )

    @property
    def sql_sha256(self) -> str:
        """Stands for the rendered SQL of all that is pending; see `hash_of_sql`."""
        return hash_of_sql(step.sql for step in self.pending)


@dataclass(frozen=True)
class CurrentRevision:
    """Where an environment's database stands."""

    environment: str
    revision: str | None
    head: str
    pending: tuple[str, ...]


def plan_migration(environment: Environment, lineage: Lineage = BOUNTY) -> MigrationPlan:
    """Plan to bring the environment's database to the newest revision; changes nothing.

    Raises ConfigurationError without a URL, PostgresError when the database cannot be asked,
    UnknownRevisionError when it is ahead of this version, UnmanagedDatabaseError when somebody
    else made the tables, and BrokenRevisionsError.
    """
    return plan_for(lineage, environment.name, environment.require_url())


def current_revision(environment: Environment, lineage: Lineage = BOUNTY) -> CurrentRevision:
    """Return where the environment's database stands; raises as `plan_migration` does.

    A database whose tables somebody else made has no revision; that is an answer, not an error.
    """
    revisions = revisions_of(lineage)
    facts = read_facts(environment.require_url(), lineage)
    _require_own_revision(lineage, facts)
    pending = tuple(revision.id for revision in revisions.after(facts.revision))
    return CurrentRevision(environment.name, facts.revision, revisions.head, pending)


def plan_for(lineage: Lineage, environment: str, url: DatabaseUrl) -> MigrationPlan:
    """Plan one line's migration of the database at ``url``."""
    facts, revisions = read_facts(url, lineage), revisions_of(lineage)
    # Everybody who needs the operations database plans it first, so that has to stay cheap.
    needed = facts.revision != revisions.head and lineage.schema == BOUNTY.schema
    fingerprint = schema_fingerprint(url) if needed else None
    return make_plan(lineage, environment, facts, revisions, fingerprint)


def make_plan(
    lineage: Lineage,
    environment: str,
    facts: DatabaseFacts,
    revisions: Revisions,
    fingerprint: str | None = None,
) -> MigrationPlan:
    """Turn facts into a plan: the same facts and files give the same plan and digest.

    Raises UnknownRevisionError, UnmanagedDatabaseError and EditedRevisionError.
    """
    _require_own_revision(lineage, facts)
    require_unedited(facts, revisions)
    pending = revisions.after(facts.revision)
    if facts.revision is None and facts.existing_tables:
        raise _unmanaged(facts)
    steps = tuple(
        PendingRevision(
            step.id,
            step.message,
            render_sql(revisions.directory, step.previous, step.id),
            step.sha256,
        )
        for step in pending
    )
    basis = {
        "environment": environment,
        "target": [facts.address, facts.oid],
        "current": facts.revision,
        "files": [[step.id, step.sha256] for step in pending],
        "sql": [step.sql for step in steps],
        "schema": fingerprint,
    }
    digest = hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()
    return MigrationPlan(
        environment=environment,
        target=facts.address,
        current=facts.revision,
        head=revisions.head,
        pending=steps,
        digest=digest,
        fingerprint=fingerprint,
    )


def hash_of_sql(statements: Iterable[str]) -> str:
    """Return the SHA-256 of the rendered SQL of several revisions, in their order."""
    digest = hashlib.sha256()
    for sql in statements:
        content = sql.encode()
        digest.update(f"{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _require_own_revision(lineage: Lineage, facts: DatabaseFacts) -> None:
    if facts.revision is None or lineage.owns(facts.revision):
        return
    for other in LINEAGES:
        if other.owns(facts.revision):
            raise UnknownRevisionError(
                f"{facts.address} is the {other.name} database (revision {facts.revision}), "
                f"not the {lineage.name} database",
                hint="DATABASE_URL and OPS_DATABASE_URL must name two different databases.",
            )


def _unmanaged(facts: DatabaseFacts) -> UnmanagedDatabaseError:
    named = ", ".join(facts.existing_tables[:_NAMED_TABLES])
    more = len(facts.existing_tables) - _NAMED_TABLES
    return UnmanagedDatabaseError(
        f"{facts.address} has tables that these migrations did not make: {named}"
        + (f" and {more} more" if more > 0 else ""),
        hint="Bounty's own tooling (Drizzle) made them; nothing was changed. `bounty-ops db adopt` "
        "takes the database over. Back up, verify and monitor work on it as it is.",
    )
