"""What boto3 raises, told as what happened and what to do. The only place that knows its errors.

Nothing of a request goes into a message: only the bucket, the endpoint's address, the error code
and, where the code says little, the store's own sentence with our keys struck out.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bounty_ops.errors import ObjectStoreError, ObjectStoreUnavailable
from bounty_ops.object_store.meanings import meaning_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import BotoCoreError, ClientError

    from bounty_ops.environments import ObjectStoreSettings


@contextmanager
def translated(settings: ObjectStoreSettings, doing: str) -> Iterator[None]:
    """Turn what boto3 raises in the block into errors of ours; ``doing`` completes "could not".

    A wrong argument (ParamValidationError) is a mistake in our code and passes unchanged.
    """
    from botocore.exceptions import (  # noqa: PLC0415 - loads botocore, which is slow
        BotoCoreError,
        ClientError,
        ParamValidationError,
    )
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - see above

    try:
        yield
    except ClientError as error:
        raise _named(settings, _refusal(settings, doing, error)) from error
    except ParamValidationError:
        raise
    except BotoCoreError as error:
        raise _named(settings, _failure(settings, doing, error)) from error
    except ResponseParserError as error:
        unreadable = ObjectStoreUnavailable(
            f"could not {doing}: {address(settings)} did not answer as S3 does",
            hint="Check that AWS_ENDPOINT_URL_S3 is the address of the S3 interface itself",
        )
        raise _named(settings, unreadable) from error


def address(settings: ObjectStoreSettings) -> str:
    """Name the bucket and where it is, for messages; never with a login."""
    bucket = f"bucket {settings.location.bucket}"
    if settings.endpoint_url is None:
        return f"{bucket} at Amazon S3"
    parts = urlsplit(settings.endpoint_url)
    return f"{bucket} at {parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def error_code(error: BaseException | None) -> str | None:
    """Return the code that the store gave, of an error or of what caused it."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        error = error.__cause__
    return None


def _named(settings: ObjectStoreSettings, error: ObjectStoreError) -> ObjectStoreError:
    """Let the hint speak of the variables that set this bucket, the first one or the copies'."""
    error.hint = settings.names.in_words_of(error.hint)
    return error


def _refusal(settings: ObjectStoreSettings, doing: str, error: ClientError) -> ObjectStoreError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    known = meaning_of(code, status)
    if known is not None:
        message = f"could not {doing}: {known.what} ({address(settings)}, {code})"
        return known.kind(message, hint=known.hint)
    sentence = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())[:200]
    secrets = (settings.access_key_id, *settings.secrets())
    for secret in filter(None, secrets):
        sentence = sentence.replace(secret, "***")
    return ObjectStoreError(
        f"could not {doing}: {address(settings)} answered {code} ({status}) {sentence}".rstrip(),
        hint="The code is the store's; its documentation says what it means",
    )


def _failure(settings: ObjectStoreSettings, doing: str, error: BotoCoreError) -> ObjectStoreError:
    from botocore import exceptions as boto  # noqa: PLC0415 - loads botocore, which is slow

    where = address(settings)
    if isinstance(error, boto.SSLError):
        return ObjectStoreError(
            f"could not {doing}: no trusted TLS connection to {where}",
            hint="Check the certificate; AWS_CA_BUNDLE names a file with the authority to trust",
        )
    if isinstance(error, boto.NoCredentialsError | boto.PartialCredentialsError):
        return ObjectStoreError(
            f"could not {doing}: there are no credentials for {where}",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        )
    if isinstance(error, boto.EndpointConnectionError | boto.ConnectTimeoutError):
        return ObjectStoreUnavailable(
            f"could not {doing}: nobody answers for {where}",
            hint="Check AWS_ENDPOINT_URL_S3 and the network, and that the store is running",
        )
    passing = (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError)
    if isinstance(error, passing):
        return ObjectStoreUnavailable(
            f"could not {doing}: the connection to {where} broke off",
            hint="Try again; if it stays so, look at the network and at the store's log",
        )
    return ObjectStoreError(
        f"could not {doing}: {type(error).__name__} while preparing a request to {where}",
        hint="Check the AWS_* variables and the profile (`aws configure list` shows what counts)",
    )
