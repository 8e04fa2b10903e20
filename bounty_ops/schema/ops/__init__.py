"""Our own tables, in schema ``bounty_ops`` of the operations database."""

from bounty_ops.schema.ops.base import SCHEMA, OpsBase
from bounty_ops.schema.ops.catalogue import Backup, MigrationRecord, Verification
from bounty_ops.schema.ops.incidents import Incident, Notification
from bounty_ops.schema.ops.samples import Collection, Sample

__all__ = [
    "SCHEMA",
    "Backup",
    "Collection",
    "Incident",
    "MigrationRecord",
    "Notification",
    "OpsBase",
    "Sample",
    "Verification",
]
