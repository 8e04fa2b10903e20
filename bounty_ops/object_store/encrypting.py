"""What an upload says about encryption by the store (SSE-S3, SSE-KMS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops.environments.object_storage import ServerSideEncryption


class EncryptionArguments(TypedDict, total=False):
    """Of PutObject and CreateMultipartUpload; empty leaves it to the bucket's own rule."""

    ServerSideEncryption: ServerSideEncryption
    SSEKMSKeyId: str


def encryption_arguments(settings: ObjectStoreSettings) -> EncryptionArguments:
    """Return the arguments that the settings ask for."""
    arguments: EncryptionArguments = {}
    if settings.server_side_encryption is not None:
        arguments["ServerSideEncryption"] = settings.server_side_encryption
    if settings.kms_key_id is not None:
        arguments["SSEKMSKeyId"] = settings.kms_key_id
    return arguments
