"""Which databases there are, how dear each is, and where backups go."""

from bounty_ops.environments.alerts import AlertSettings
from bounty_ops.environments.loading import load_settings
from bounty_ops.environments.model import Environment, Settings
from bounty_ops.environments.object_storage import BucketLocation, ObjectStoreSettings
from bounty_ops.environments.policy import Policy
from bounty_ops.environments.url import DatabaseUrl

__all__ = [
    "AlertSettings",
    "BucketLocation",
    "DatabaseUrl",
    "Environment",
    "ObjectStoreSettings",
    "Policy",
    "Settings",
    "load_settings",
]
