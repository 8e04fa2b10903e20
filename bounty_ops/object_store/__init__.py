"""S3 through boto3: streaming upload, conditional put, checked download.

Nothing else in the project knows boto3. Importing this package does not load it (that takes
longer than a whole ``--help``); the first call to the store does.
"""

from bounty_ops.object_store.capabilities import Capabilities, Capability
from bounty_ops.object_store.store import ObjectStore
from bounty_ops.object_store.values import (
    ListedObject,
    LockMode,
    Retention,
    StoredObject,
    UnfinishedUpload,
)

__all__ = [
    "Capabilities",
    "Capability",
    "ListedObject",
    "LockMode",
    "ObjectStore",
    "Retention",
    "StoredObject",
    "UnfinishedUpload",
]
