"""What a person reads when the store cannot be used, and what nobody may ever read."""

from __future__ import annotations

import dataclasses
import socket
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    SSLError,
)

from bounty_ops.environments import BucketLocation, ObjectStoreSettings
from bounty_ops.errors import (
    ConfigurationError,
    ObjectExists,
    ObjectNotFound,
    ObjectStoreError,
    ObjectStoreUnavailable,
)
from bounty_ops.object_store import ObjectStore
from bounty_ops.object_store.client import make_client
from bounty_ops.object_store.content_md5 import ContentMd5
from bounty_ops.object_store.diagnose import translated

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = ObjectStoreSettings(
    location=BucketLocation("backups"),
    endpoint_url="https://store.example",
    region="us-east-1",
    access_key_id="AKIAEXAMPLEKEY",
    secret_access_key="planted-secret",
    session_token="planted-token",
)


def answer(code: str, status: int = 400, message: str = "") -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "",
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "PutObject",
    )


def told(error: Exception) -> ObjectStoreError:
    with pytest.raises(ObjectStoreError) as caught, translated(SETTINGS, "do it"):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind", "what", "remedy"),
    [
        (answer("NoSuchBucket", 404), ObjectStoreError, "no such bucket", "BACKUP_BUCKET"),
        (answer("NoSuchKey", 404), ObjectNotFound, "no such object", "backup list"),
        (answer("404", 404), ObjectNotFound, "no such object", "backup list"),
        (answer("NoSuchUpload", 404), ObjectNotFound, "unfinished upload", "try again"),
        (answer("ExpiredToken"), ObjectStoreError, "have expired", "AWS_SESSION_TOKEN"),
        (answer("AccessDenied", 403), ObjectStoreError, "access is denied", "s3:PutObject"),
        (answer("Odd", 403), ObjectStoreError, "access is denied", "s3:PutObject"),
        (answer("RequestTimeTooSkewed", 403), ObjectStoreError, "clock", "timedatectl"),
        (answer("PermanentRedirect", 301), ObjectStoreError, "another region", "AWS_REGION"),
        (answer("PreconditionFailed", 412), ObjectExists, "condition", "overwritten"),
        (answer("SlowDown", 503), ObjectStoreUnavailable, "overloaded", "minutes"),
        (answer("Odd", 502), ObjectStoreUnavailable, "overloaded", "minutes"),
        (answer("NotImplemented", 501), ObjectStoreError, "cannot do this", "If-None-Match"),
        (answer("BadDigest"), ObjectStoreUnavailable, "damaged", "proxy"),
        (NoCredentialsError(), ObjectStoreError, "no credentials", "AWS_ACCESS_KEY_ID"),
        (
            SSLError(endpoint_url="https://x", error=ValueError("self-signed")),
            ObjectStoreError,
            "no trusted TLS",
            "AWS_CA_BUNDLE",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_cause_has_its_own_words_and_remedy(
    error: Exception, kind: type[ObjectStoreError], what: str, remedy: str
) -> None:
    found = told(error)

    assert type(found) is kind
    assert what in str(found)
    assert str(found).startswith("could not do it: ")
    assert "bucket backups at https://store.example" in str(found)
    assert remedy in found.hint


def test_an_unknown_code_is_shown_with_the_store_s_words_but_without_keys() -> None:
    found = told(answer("Weird", 400, "no\n  AKIAEXAMPLEKEY planted-secret planted-token here"))

    assert "Weird (400) no *** *** *** here" in str(found)


def test_a_mistake_in_our_own_code_is_not_dressed_up() -> None:
    with pytest.raises(ParamValidationError), translated(SETTINGS, "do it"):
        raise ParamValidationError(report="Key must be text")


def attempt_wrong_secret(good: ObjectStoreSettings) -> ObjectStoreSettings:
    return dataclasses.replace(good, secret_access_key="planted-wrong-secret")


def attempt_wrong_key(good: ObjectStoreSettings) -> ObjectStoreSettings:
    return dataclasses.replace(good, access_key_id="planted-wrong-key")


def attempt_no_bucket(good: ObjectStoreSettings) -> ObjectStoreSettings:
    return dataclasses.replace(good, location=BucketLocation("no-such-bucket"))


def attempt_nobody(good: ObjectStoreSettings) -> ObjectStoreSettings:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return dataclasses.replace(good, endpoint_url=f"http://127.0.0.1:{port}")


def attempt_no_address(good: ObjectStoreSettings) -> ObjectStoreSettings:
    return dataclasses.replace(good, endpoint_url="http://127.0.0.1:port")


@pytest.mark.parametrize(
    ("spoil", "kind", "what"),
    [
        (attempt_wrong_secret, ObjectStoreError, "does not accept these credentials"),
        (attempt_wrong_key, ObjectStoreError, "does not accept these credentials"),
        (attempt_no_bucket, ObjectStoreError, "no such bucket"),
        (attempt_nobody, ObjectStoreUnavailable, "nobody answers"),
        (attempt_no_address, ConfigurationError, "not an address"),
    ],
)
def test_check_says_what_is_wrong_and_shows_no_secret(
    s3_prefix: ObjectStoreSettings,
    spoil: Callable[[ObjectStoreSettings], ObjectStoreSettings],
    kind: type[Exception],
    what: str,
) -> None:
    settings = spoil(s3_prefix)

    with pytest.raises(kind, match=what) as caught:
        ObjectStore(settings).check()

    shown = "".join(traceback.format_exception(caught.value)) + caught.value.hint  # type: ignore[attr-defined]  # every kind above has one
    assert settings.secret_access_key is not None
    assert settings.secret_access_key not in shown


def test_check_says_nothing_when_all_is_well(s3_prefix: ObjectStoreSettings) -> None:
    store = ObjectStore(s3_prefix)
    store.check()
    store.create_bucket_if_missing()


def test_a_bucket_that_is_missing_can_be_created(s3_store: ObjectStoreSettings) -> None:
    settings = dataclasses.replace(s3_store, location=BucketLocation("made-by-a-test", "here"))
    store = ObjectStore(settings)

    store.create_bucket_if_missing()
    store.put_if_absent("a", b"{}")

    assert [entry.key for entry in store.list("")] == ["a"]


def test_a_store_shows_where_it_is_and_no_key() -> None:
    assert repr(ObjectStore(SETTINGS)) == "ObjectStore('s3://backups')"


@pytest.mark.parametrize(
    ("endpoint", "proxied"),
    [
        ("http://127.0.0.1:8333", False),
        ("http://localhost:8333", False),
        ("http://[::1]:8333", False),
        ("https://s3.example.com", True),
    ],
)
def test_a_company_proxy_is_not_asked_for_this_machine(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, proxied: bool
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    client: Any = make_client(dataclasses.replace(SETTINGS, endpoint_url=endpoint))

    proxies = client._endpoint.http_session._proxy_config._proxies
    assert bool(proxies) is proxied


@pytest.mark.parametrize(
    ("endpoint", "signed"),
    [
        ("http://127.0.0.1:1", False),
        ("http://localhost:1", False),
        # With nothing to protect it on the way, what is sent is signed.
        ("http://s3.invalid:1", True),
        # As boto3 does it by itself where TLS protects what is sent.
        ("https://s3.invalid:1", False),
    ],
)
def test_a_body_is_signed_where_somebody_could_change_it_on_the_way(
    endpoint: str, signed: bool
) -> None:
    client = make_client(dataclasses.replace(SETTINGS, endpoint_url=endpoint))
    sent: list[Any] = []

    def keep(request: Any, **_: object) -> None:  # noqa: ANN401 - of botocore
        sent.append(request.headers)
        raise KeyboardInterrupt  # it need not leave this machine

    client.meta.events.register("before-send.s3.PutObject", keep)
    with pytest.raises(KeyboardInterrupt):
        client.put_object(
            Bucket="backups", Key="k", Body=b"body", ContentMD5=ContentMd5(b"body").header
        )

    [headers] = sent
    assert (headers["X-Amz-Content-SHA256"] != b"UNSIGNED-PAYLOAD") is signed
    assert b"content-md5" in headers["Authorization"]
