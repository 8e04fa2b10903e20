"""Where backups go: `BACKUP_BUCKET` with the variables boto3 knows, and the bucket for copies."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Amazon S3 User Guide, "General purpose bucket naming rules"; underscores and capitals are
#: refused by S3 for new buckets but exist on compatible stores.
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_SHAPE: Final = "s3://bucket/prefix"

ServerSideEncryption = Literal["AES256", "aws:kms"]

#: Of S3, and of most stores that are compatible with it.
MOST_PARTS: Final = 10_000
#: With fewer, parts of 5 GiB would not reach the size of a large database.
FEWEST_PARTS: Final = 100


@dataclass(frozen=True)
class VariableNames:
    """How the variables of one bucket are called."""

    bucket: str = "BACKUP_BUCKET"
    endpoint_url: str = "AWS_ENDPOINT_URL_S3"
    region: str = "AWS_REGION"
    access_key_id: str = "AWS_ACCESS_KEY_ID"
    secret_access_key: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - a name, not a secret
    session_token: str = "AWS_SESSION_TOKEN"  # noqa: S105 - a name, not a secret
    sse: str = "BACKUP_SSE"
    sse_kms_key_id: str = "BACKUP_SSE_KMS_KEY_ID"
    most_parts: str = "BACKUP_MOST_PARTS"

    def in_words_of(self, text: str) -> str:
        """A sentence about the first bucket's variables, with these names in it."""
        theirs = dataclasses.asdict(VariableNames())
        mine = {theirs[field]: name for field, name in dataclasses.asdict(self).items()}
        return re.sub(r"[A-Z][A-Z0-9_]+", lambda found: mine.get(found[0], found[0]), text)


COPY_NAMES: Final = VariableNames(
    bucket="BACKUP_COPY_BUCKET",
    endpoint_url="BACKUP_COPY_ENDPOINT_URL",
    region="BACKUP_COPY_REGION",
    access_key_id="BACKUP_COPY_ACCESS_KEY_ID",
    secret_access_key="BACKUP_COPY_SECRET_ACCESS_KEY",  # noqa: S106 - a name, not a secret
    session_token="BACKUP_COPY_SESSION_TOKEN",  # noqa: S106 - a name, not a secret
    sse="BACKUP_COPY_SSE",
    sse_kms_key_id="BACKUP_COPY_SSE_KMS_KEY_ID",
    most_parts="BACKUP_COPY_MOST_PARTS",
)


@dataclass(frozen=True)
class BucketLocation:
    """A bucket and the prefix under which everything of ours lies (no slash at its ends)."""

    bucket: str
    prefix: str = ""

    @classmethod
    def parse(cls, text: str, *, variable: str = "BACKUP_BUCKET") -> BucketLocation:
        """Read ``s3://bucket/prefix``.

        Raises:
            ConfigurationError: it is of another form.
        """
        scheme, separator, rest = text.strip().partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme.lower() != "s3" or not separator or not _BUCKET.fullmatch(bucket):
            raise ConfigurationError(
                f"{variable} does not name a bucket", hint=f"Write it as {_SHAPE}"
            )
        parts = [part for part in prefix.split("/") if part]
        if any(part in {".", ".."} for part in parts):
            raise ConfigurationError(
                f"the prefix of {variable} holds `.` or `..`", hint=f"Write it as {_SHAPE}"
            )
        return cls(bucket, "/".join(parts))

    def key(self, relative: str) -> str:
        """The full key of a key relative to the prefix."""
        return f"{self.prefix}/{relative}" if self.prefix else relative

    def uri(self) -> str:
        """``s3://bucket/prefix``."""
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"


@dataclass(frozen=True)
class ObjectStoreSettings:
    """A bucket and how to reach it; ``None`` leaves a value to boto3's own search order."""

    location: BucketLocation
    endpoint_url: str | None = None
    region: str | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    server_side_encryption: ServerSideEncryption | None = None
    """What every upload asks the store to encrypt with; None leaves it to the bucket."""
    kms_key_id: str | None = None
    most_parts: int = MOST_PARTS
    """How many parts of one upload the provider takes."""
    names: VariableNames = field(default=VariableNames(), repr=False)
    """The variables that set all this, for messages."""

    def secrets(self) -> tuple[str, ...]:
        """Every text that must never be shown."""
        return tuple(v for v in (self.secret_access_key, self.session_token) if v)

    def is_same_bucket(self, other: ObjectStoreSettings) -> bool:
        """Whether both lead to one bucket, whatever the prefixes in it."""
        return self.location.bucket == other.location.bucket and _provider(
            self.endpoint_url
        ) == _provider(other.endpoint_url)


def object_store_settings(variables: Mapping[str, str]) -> ObjectStoreSettings | None:
    """The bucket that the variables name, or None where `BACKUP_BUCKET` is not set.

    Raises:
        ConfigurationError: a variable is malformed, or half a key is given.
    """
    names = VariableNames()
    bucket = variables.get(names.bucket, "").strip()
    if not bucket:
        return None
    endpoint = _endpoint(variables, names) or variables.get("AWS_ENDPOINT_URL") or None
    region = variables.get(names.region) or variables.get("AWS_DEFAULT_REGION") or None
    return _settings(variables, names, BucketLocation.parse(bucket), endpoint, region)


def copy_object_store_settings(
    variables: Mapping[str, str], first: ObjectStoreSettings | None
) -> ObjectStoreSettings | None:
    """The bucket for copies, or None where `BACKUP_COPY_BUCKET` is not set.

    Without an endpoint of its own it is at the provider of the first bucket, and what else is not
    set is the first one's. With one, nothing is: keys are never shown to another provider.

    Raises:
        ConfigurationError: a variable is malformed, a key is missing, or it is the first bucket.
    """
    names = COPY_NAMES
    bucket = variables.get(names.bucket, "").strip()
    if not bucket:
        return None
    location = BucketLocation.parse(bucket, variable=names.bucket)
    endpoint = _endpoint(variables, names)
    region = variables.get(names.region) or None
    copies = _settings(variables, names, location, endpoint, region)
    if endpoint is None:
        copies = copies if first is None else _completed(copies, first)
    elif copies.access_key_id is None:
        raise ConfigurationError(
            f"{names.endpoint_url} names another provider, but no key for it is set",
            hint=f"Set {names.access_key_id} and {names.secret_access_key}; those of the first "
            "bucket are not sent to another address.",
        )
    if first is not None and copies.is_same_bucket(first):
        raise ConfigurationError(
            f"{names.bucket} is the bucket that BACKUP_BUCKET names",
            hint="Copies in the same bucket are lost with it: name a bucket of another provider "
            "or account, at least one in another region.",
        )
    return copies


def _settings(
    variables: Mapping[str, str],
    names: VariableNames,
    location: BucketLocation,
    endpoint: str | None,
    region: str | None,
) -> ObjectStoreSettings:
    _require_endpoint(endpoint, names)
    access = variables.get(names.access_key_id) or None
    secret = variables.get(names.secret_access_key) or None
    if (access is None) != (secret is None):
        missing = names.access_key_id if access is None else names.secret_access_key
        raise ConfigurationError(
            f"{missing} is not set, but its other half is",
            hint="Set both, or neither (boto3 then looks for a profile or an instance role).",
        )
    encryption = _encryption(variables, names)
    return ObjectStoreSettings(
        location=location,
        endpoint_url=endpoint,
        region=region,
        access_key_id=access,
        secret_access_key=secret,
        session_token=variables.get(names.session_token) or None,
        server_side_encryption=encryption,
        kms_key_id=_kms_key_id(variables, names, encryption),
        most_parts=_most_parts(variables, names),
        names=names,
    )


def _completed(copies: ObjectStoreSettings, first: ObjectStoreSettings) -> ObjectStoreSettings:
    """The settings of a second bucket at the first one's provider."""
    completed = dataclasses.replace(
        copies,
        endpoint_url=first.endpoint_url,
        region=copies.region or first.region,
        most_parts=min(copies.most_parts, first.most_parts),
    )
    if copies.access_key_id is not None:
        return completed
    return dataclasses.replace(
        completed,
        access_key_id=first.access_key_id,
        secret_access_key=first.secret_access_key,
        session_token=first.session_token,
    )


def _endpoint(variables: Mapping[str, str], names: VariableNames) -> str | None:
    return variables.get(names.endpoint_url) or None


def _require_endpoint(endpoint: str | None, names: VariableNames) -> None:
    if endpoint is not None and not re.match(r"https?://[^\s/@]+", endpoint):
        raise ConfigurationError(
            f"{names.endpoint_url} is not an http:// or https:// address without a login in it",
            hint=f"Write it as https://host, and the keys in {names.access_key_id} and "
            f"{names.secret_access_key}.",
        )


def _encryption(variables: Mapping[str, str], names: VariableNames) -> ServerSideEncryption | None:
    match variables.get(names.sse, "").strip():
        case "":
            return None
        case "AES256":
            return "AES256"
        case "aws:kms":
            return "aws:kms"
    raise ConfigurationError(
        f"{names.sse} is neither AES256 nor aws:kms",
        hint="AES256 encrypts with keys of the store, aws:kms with a key of yours in KMS; not "
        "set, the bucket's own rule decides.",
    )


def _kms_key_id(
    variables: Mapping[str, str], names: VariableNames, encryption: ServerSideEncryption | None
) -> str | None:
    key_id = variables.get(names.sse_kms_key_id, "").strip() or None
    if key_id is not None and encryption != "aws:kms":
        raise ConfigurationError(
            f"{names.sse_kms_key_id} is set, but {names.sse} is not aws:kms",
            hint=f"Set {names.sse}=aws:kms, or remove {names.sse_kms_key_id}.",
        )
    return key_id


def _most_parts(variables: Mapping[str, str], names: VariableNames) -> int:
    text = variables.get(names.most_parts, "").strip()
    if not text:
        return MOST_PARTS
    if not text.isascii() or not text.isdigit() or not FEWEST_PARTS <= int(text) <= MOST_PARTS:
        raise ConfigurationError(
            f"{names.most_parts} is not a number from {FEWEST_PARTS} to {MOST_PARTS}",
            hint="Write how many parts the provider takes in one upload: 10000 at most of them, "
            "1000 at some.",
        )
    return int(text)


def _provider(endpoint_url: str | None) -> tuple[str, int | None]:
    """What stands for one provider: bucket names are unique within it."""
    parts = urlsplit(endpoint_url or "https://s3.amazonaws.com")
    host = (parts.hostname or "").rstrip(".")
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return "amazonaws.com", None
    try:
        port = parts.port
    except ValueError:  # reported when it is used
        port = None
    return host, port or {"http": 80, "https": 443}.get(parts.scheme)
