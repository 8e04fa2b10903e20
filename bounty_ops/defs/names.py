"""What everything of one environment is called in Dagster; other programs may rely on it."""

from dataclasses import dataclass
from typing import Final

import dagster as dg

SCHEMA_REVISION: Final = "schema_revision"
DATABASE_BACKUP: Final = "database_backup"
RESTORE_VERIFICATION: Final = "restore_verification"
BACKUP_CATALOGUE: Final = "backup_catalogue"
BACKUP_COPIES: Final = "backup_copies"
KEPT_BACKUPS: Final = "kept_backups"
CONNECTION_STATS: Final = "connection_stats"
SLOW_QUERIES: Final = "slow_queries"
TABLE_SIZES: Final = "table_sizes"
INDEX_USAGE: Final = "index_usage"

#: The tag on runs and assets that names their environment.
ENVIRONMENT_TAG: Final = "bounty_ops/environment"

#: The tag that everything of a protected environment has besides, with the value "true".
PROTECTED_TAG: Final = "bounty_ops/protected"

#: The tag on nightly runs that names the server of their database; `dagster.yaml` limits how many
#: nights one server has at a time by it.
SERVER_TAG: Final = "bounty_ops/server"


@dataclass(frozen=True)
class Names:
    """The names that belong to the environment `environment`."""

    environment: str
    protected: bool = False
    """Whether what is built is marked; it decides nothing."""

    def asset(self, name: str) -> dg.AssetKey:
        """The key of an asset, such as ``production/database_backup``.

        One key an environment and never a partition: what is asked of the newest
        materialization would else be answered by another environment's.
        """
        return dg.AssetKey([self.environment, name])

    @property
    def pool(self) -> str:
        """Where operations on the same database wait for each other."""
        return f"{self.environment}_database"

    @property
    def tags(self) -> dict[str, str]:
        """The tags of everything that belongs to it."""
        marked = {PROTECTED_TAG: "true"} if self.protected else {}
        return {ENVIRONMENT_TAG: self.environment, **marked}

    @property
    def group(self) -> str:
        """The group of its assets, in the graph and the lists of the user interface."""
        return f"{self.environment}_protected" if self.protected else self.environment

    @property
    def nightly(self) -> str:
        """The job that backs up and verifies."""
        return f"{self.environment}_nightly"

    @property
    def verify(self) -> str:
        """The job that verifies one backup."""
        return f"{self.environment}_verify_backup"

    @property
    def collect(self) -> str:
        """The job that takes samples."""
        return f"{self.environment}_collect"

    @property
    def migrate(self) -> str:
        """The job that shows or applies a migration."""
        return f"{self.environment}_migrate"

    @property
    def rehearse(self) -> str:
        """The job that tries a migration on a restored backup."""
        return f"{self.environment}_rehearse_migration"

    @property
    def check_schema(self) -> str:
        """The job that compares the schema with what it should be."""
        return f"{self.environment}_check_schema"

    @property
    def restore(self) -> str:
        """The job that shows or carries out a restore into it."""
        return f"{self.environment}_restore"

    @property
    def refresh_staging(self) -> str:
        """The job that puts a masked copy of it into another environment."""
        return f"{self.environment}_refresh_staging"

    @property
    def prune(self) -> str:
        """The job that shows or deletes what the rules let go."""
        return f"{self.environment}_prune_backups"

    @property
    def nightly_schedule(self) -> str:
        """The schedule of the nightly job."""
        return f"{self.nightly}_schedule"

    @property
    def collect_schedule(self) -> str:
        """The schedule of the collection."""
        return f"{self.collect}_schedule"

    @property
    def check_schema_schedule(self) -> str:
        """The schedule of that comparison."""
        return f"{self.check_schema}_schedule"

    @property
    def new_revisions(self) -> str:
        """The sensor that notices new migrations in the code."""
        return f"{self.environment}_new_revisions"

    @property
    def measure(self) -> str:
        """The sensor that takes samples."""
        return f"{self.environment}_measure"

    @property
    def watch(self) -> str:
        """The sensor that evaluates the alert rules."""
        return f"{self.environment}_watch"
