"""What the bucket's own settings promise: lock, versions, life cycle. Only read, never tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ObjectStoreError
from bounty_ops.object_store.capabilities import Capability
from bounty_ops.object_store.conditional import REFUSALS
from bounty_ops.object_store.diagnose import error_code, translated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import LifecycleRuleOutputTypeDef

    from bounty_ops.environments import ObjectStoreSettings

_NO_LOCK: Final = {"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"}
_NO_RULES: Final = {"NoSuchLifecycleConfiguration"}


class BucketRules:
    """The settings of one bucket."""

    def __init__(self, client: S3Client, settings: ObjectStoreSettings) -> None:
        self._client = client
        self._settings = settings
        self._bucket = settings.location.bucket

    def object_lock(self) -> tuple[Capability, bool]:
        """Whether objects can be locked, and whether every new one is, without being asked to."""
        try:
            with translated(self._settings, "see whether the bucket has Object Lock"):
                found = self._client.get_object_lock_configuration(Bucket=self._bucket)
        except ObjectStoreError as error:
            return _unseen(error, _NO_LOCK | REFUSALS, "the bucket has no Object Lock"), False
        configuration = found.get("ObjectLockConfiguration", {})
        if configuration.get("ObjectLockEnabled") != "Enabled":
            return Capability(False, "the bucket has no Object Lock"), False
        default = configuration.get("Rule", {}).get("DefaultRetention", {})
        if not default:
            return Capability(True, "objects can be locked"), False
        length = f"{default['Days']} days" if "Days" in default else f"{default.get('Years')} years"
        why = f"objects can be locked; every new one is for {length} ({default.get('Mode')})"
        return Capability(True, why), True

    def versioning(self) -> Capability:
        """Whether deleted and overwritten objects are kept as versions."""
        try:
            with translated(self._settings, "see whether the bucket keeps versions"):
                found = self._client.get_bucket_versioning(Bucket=self._bucket)
        except ObjectStoreError as error:
            return _unseen(error, REFUSALS, "the store keeps no versions")
        if found.get("Status") == "Enabled":
            return Capability(True, "deleted objects stay as versions")
        return Capability(False, "the bucket keeps no versions")

    def life_cycle(self) -> tuple[Capability, Capability]:
        """Whether unfinished uploads are removed by a rule, and backups are not."""
        try:
            with translated(self._settings, "see the life cycle rules of the bucket"):
                found = self._client.get_bucket_lifecycle_configuration(Bucket=self._bucket)
        except ObjectStoreError as error:
            none = "no rule of the bucket removes unfinished uploads"
            aborts = _unseen(error, _NO_RULES | REFUSALS, none)
            if aborts.works is None:
                return aborts, aborts
            return aborts, Capability(True, "no rule of the bucket deletes objects")
        rules = [rule for rule in found.get("Rules", []) if rule.get("Status") == "Enabled"]
        return self._aborts(rules), self._keeps(rules)

    def _aborts(self, rules: Iterable[LifecycleRuleOutputTypeDef]) -> Capability:
        days = [
            rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
            for rule in rules
            if "AbortIncompleteMultipartUpload" in rule
            and not _is_narrowed(rule)
            and self._own_prefix().startswith(_prefix(rule))
        ]
        if days:
            why = f"a rule of the bucket removes unfinished uploads after {min(days)} days"
            return Capability(True, why)
        return Capability(False, "no rule of the bucket removes unfinished uploads")

    def _keeps(self, rules: Iterable[LifecycleRuleOutputTypeDef]) -> Capability:
        own = self._own_prefix()
        for rule in rules:
            expiration = rule.get("Expiration", {})
            prefix = _prefix(rule)
            ours = own.startswith(prefix) or prefix.startswith(own)
            if ours and ("Days" in expiration or "Date" in expiration):
                name = rule.get("ID") or "without a name"
                return Capability(False, f"the rule {name} of the bucket deletes objects by age")
        return Capability(True, "no rule of the bucket deletes objects")

    def _own_prefix(self) -> str:
        return self._settings.location.key("")


def _prefix(rule: LifecycleRuleOutputTypeDef) -> str:
    """What a rule's keys begin with; a rule may say so in three places."""
    narrowed = rule.get("Filter", {})
    both = narrowed.get("And", {})
    return narrowed.get("Prefix") or both.get("Prefix") or rule.get("Prefix") or ""


def _is_narrowed(rule: LifecycleRuleOutputTypeDef) -> bool:
    """Whether it holds for tagged objects, or those of some sizes, only."""
    return bool(set(rule.get("Filter", {})) - {"Prefix"})


def _unseen(error: ObjectStoreError, absent: frozenset[str] | set[str], why: str) -> Capability:
    """Not there, if the store says that; else not known."""
    return Capability(False if error_code(error) in absent else None, _told(error, absent, why))


def _told(error: ObjectStoreError, absent: frozenset[str] | set[str], why: str) -> str:
    return why if error_code(error) in absent else str(error)
