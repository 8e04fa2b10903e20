"""What a run works with: settings read now, with embedded servers for what is not set."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Engine

from bounty_ops.defs.failures import Secrets, told
from bounty_ops.embedded import stand_in
from bounty_ops.environments import Environment, Settings, load_settings
from bounty_ops.journal.bucket import Journal
from bounty_ops.migrating import migrate_ops
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import engine, translated


@dataclass(frozen=True)
class Workplace:
    """One environment with the servers that its operations need."""

    settings: Settings
    environment: Environment
    secrets: Secrets

    def store(self) -> ObjectStore:
        """The bucket for backups; the same client for all that is asked of it here.

        Raises:
            ConfigurationError: it is missing or cannot be used.
        """
        return self._store

    @cached_property
    def _store(self) -> ObjectStore:
        # Making a client takes longer than all that a look asks it.
        return ObjectStore(self.settings.require_object_store())

    def journal(self) -> Journal:
        """The records in the bucket.

        Raises:
            ConfigurationError: the bucket is missing or cannot be used.
        """
        return Journal(self.store())

    @contextmanager
    def operations(self) -> Iterator[Engine]:
        """The operations database, brought to its newest schema (cheap when it is there).

        Connections are used again until the end of the block.

        Raises:
            ConfigurationError: it is missing or cannot be used.
            PostgresError: it does not answer, or refuses.
        """
        url = self.settings.require_ops_url()
        migrate_ops(url)
        operations = engine(url, application_name="bounty-ops", reuse=True)
        try:
            with translated(url):
                yield operations
        finally:
            operations.dispose()


@contextmanager
def opened(
    name: str,
    secrets: Secrets,
    *,
    database: bool = True,
    ops: bool = True,
    bucket: bool = True,
    configured: bool = True,
) -> Iterator[Workplace]:
    """The workplace of the environment `name`, for the length of the block.

    Args:
        name: of the environment.
        secrets: learns every secret that the settings hold.
        database: whether the environment's own database is needed.
        ops: whether the operations database is needed.
        bucket: whether the bucket is needed.
        configured: whether the environment must have a database that can be tried.

    Raises:
        ConfigurationError: there is no such environment, or the environment is unconfigured.
        EmbeddedError: a local server is needed and cannot be started.
    """
    settings = load_settings()
    secrets.learn(settings.secrets())
    chosen = settings.environment(name)
    if database and configured and not chosen.can_be_embedded:
        chosen.require_url()  # before any server is started in vain
    with stand_in(
        settings, database=database and chosen.can_be_embedded, ops=ops, bucket=bucket
    ) as complete:
        secrets.learn(complete.secrets())
        yield Workplace(complete, complete.environment(name), secrets)


@contextmanager
def workplace(
    name: str, *, database: bool = True, ops: bool = True, bucket: bool = True
) -> Iterator[Workplace]:
    """As `opened`, for the body of an asset, a check or an op: errors are told Dagster's way.

    Raises:
        dagster.Failure: the operation could not be carried out.
    """
    secrets = Secrets()
    with told(secrets), opened(name, secrets, database=database, ops=ops, bucket=bucket) as place:
        yield place
