"""Our own tables, in schema ``bounty_ops`` of the operations database."""

from bounty_ops.schema.ops.base import SCHEMA, OpsBase
from bounty_ops.schema.ops.catalogue import Backup, MigrationRecord, Verification
from bounty_ops.schema.ops.incidents import Evaluation, Incident, Silence
from bounty_ops.schema.ops.memory import CollectionMemory
from bounty_ops.schema.ops.outbox import Notification, NotificationDelivery
from bounty_ops.schema.ops.samples import (
    Collection,
    Sample,
    SampleFiveMinutes,
    SampleHourly,
    SamplePage,
    SampleRolledDay,
    SampleSubject,
    SampleText,
)

__all__ = [
    "SCHEMA",
    "Backup",
    "Collection",
    "CollectionMemory",
    "Evaluation",
    "Incident",
    "MigrationRecord",
    "Notification",
    "NotificationDelivery",
    "OpsBase",
    "Sample",
    "SampleFiveMinutes",
    "SampleHourly",
    "SamplePage",
    "SampleRolledDay",
    "SampleSubject",
    "SampleText",
    "Silence",
    "Verification",
]
