"""One boto3 client, configured for backups instead of for web pages."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bounty_ops.environments.tls import is_loopback
from bounty_ops.errors import ConfigurationError
from bounty_ops.object_store.diagnose import translated

if TYPE_CHECKING:
    from botocore.loaders import Loader
    from botocore.session import Session
    from mypy_boto3_s3.client import S3Client

    from bounty_ops.environments import ObjectStoreSettings

CONNECT_TIMEOUT_SECONDS: Final = 10
#: Longer than a store needs to assemble 10,000 parts while it keeps the connection silent.
READ_TIMEOUT_SECONDS: Final = 120
#: Of one call, the first included; with pauses of up to 1, 2 and 4 s in between. Longer outages
#: are waited for by `bounty_ops.object_store.patience`.
ATTEMPTS: Final = 4
CONNECTIONS: Final = 8


def make_client(settings: ObjectStoreSettings) -> S3Client:
    """Return a client for the store that the settings name; it does not connect yet.

    Raises ConfigurationError for an endpoint that is no address, and ObjectStoreError when boto3's
    own files (profiles) cannot be read.
    """
    import boto3  # noqa: PLC0415 - loading boto3 takes longer than most commands
    from botocore.config import Config  # noqa: PLC0415 - see above

    _require_address(settings.endpoint_url)
    own_machine = is_loopback(urlsplit(settings.endpoint_url or "").hostname or "")
    config = Config(
        signature_version="s3v4",
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        # R2, Ceph, Storj and B2 refuse the CRC trailers that boto3 adds to every upload by
        # default, some of them with "Unauthorized". We send Content-MD5, which all of them check.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # On this machine bodies are not hashed for the signature, as boto3 does without over https:
        # nobody is in between, and Content-MD5, which is signed, finds damage.
        s3={"addressing_style": "path", "payload_signing_enabled": False}
        if own_machine
        else {"addressing_style": "path" if settings.endpoint_url else "auto"},
        # A proxy for the way out of the company must not get the requests to this machine.
        proxies={} if own_machine else None,
    )
    with translated(settings, "read the settings of boto3"):
        session = boto3.session.Session(
            botocore_session=_core(),
            aws_access_key_id=settings.access_key_id,
            aws_secret_access_key=settings.secret_access_key,
            aws_session_token=settings.session_token,
            region_name=settings.region,
        )
        return session.client(
            "s3",
            endpoint_url=settings.endpoint_url,
            # Stores other than Amazon's ignore the region, but the signature needs one.
            region_name=session.region_name or "us-east-1",
            config=config,
        )


def _require_address(endpoint_url: str | None) -> None:
    try:
        parts = urlsplit(endpoint_url or "https://s3.amazonaws.com")
        good = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or too large
        good = False
    if not good:
        raise ConfigurationError(
            "AWS_ENDPOINT_URL_S3 is not an address",
            hint="Write it as https://host or https://host:port",
        )


def _core() -> Session:
    """Return a new session (files with keys are read again), with what never changes shared."""
    from botocore.session import Session  # noqa: PLC0415 - see make_client

    core = Session()
    core.register_component("data_loader", _descriptions())
    return core


@cache
def _descriptions() -> Loader:
    """Load the description of S3 once: reading it takes five times as long as all the rest."""
    from botocore.loaders import Loader  # noqa: PLC0415 - see make_client

    return Loader()
