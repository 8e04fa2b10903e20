"""The checksum that every S3-compatible store checks: Content-MD5.

It guards against damage on the way, not against an attacker; what a backup *is* says the SHA-256
in its manifest.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.errors import ObjectStoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MD5: Final = re.compile(r"[0-9a-f]{32}")


class ContentMd5:
    """The MD5 sum of one request's body."""

    def __init__(self, data: bytes | bytearray) -> None:
        self._md5 = hashlib.md5(data, usedforsecurity=False)

    @property
    def header(self) -> str:
        """The value of Content-MD5: the store refuses a body that does not fit it."""
        return base64.b64encode(self._md5.digest()).decode()

    def etag(self, answer: Mapping[str, Any], doing: str) -> str:
        """Return the ETag of an answer, with its quotation marks, as CompleteMultipartUpload wants.

        Raises ObjectStoreError when there is none, and when it is an MD5 sum, but not of what was
        sent: a store that ignores Content-MD5. (Objects encrypted with a key of KMS or of the
        customer have other ETags.)
        """
        quoted = str(answer.get("ETag", ""))
        if not quoted:
            raise ObjectStoreError(
                f"could not {doing}: the store confirmed it without an ETag",
                hint="Check that AWS_ENDPOINT_URL_S3 is the address of the S3 interface itself",
            )
        etag = quoted.strip('"')
        encrypted = "SSECustomerAlgorithm" in answer or str(
            answer.get("ServerSideEncryption", "")
        ).startswith("aws:kms")
        if not encrypted and _MD5.fullmatch(etag) and etag != self._md5.hexdigest():
            raise ObjectStoreError(
                f"could not {doing}: the store holds other bytes than were sent",
                hint="Something between here and the store changes what passes, and the store "
                "does not check Content-MD5; do not use it for backups",
            )
        return quoted
