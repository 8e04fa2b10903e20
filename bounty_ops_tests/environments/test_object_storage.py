"""The buckets that variables name: the first one, and the one for copies."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import load_settings
from bounty_ops.environments.object_storage import (
    COPY_NAMES,
    VariableNames,
    copy_object_store_settings,
    object_store_settings,
)
from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from bounty_ops.environments import ObjectStoreSettings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
FIRST = {
    "BACKUP_BUCKET": "s3://backups/bounty",
    "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
    "AWS_REGION": "eu-1",
    "AWS_ACCESS_KEY_ID": "first-key",
    "AWS_SECRET_ACCESS_KEY": "first-secret",
    "AWS_SESSION_TOKEN": "first-token",
}
COPY = {
    "BACKUP_COPY_BUCKET": "s3://copies",
    "BACKUP_COPY_ENDPOINT_URL": "https://s3.example.net",
    "BACKUP_COPY_ACCESS_KEY_ID": "second-key",
    "BACKUP_COPY_SECRET_ACCESS_KEY": "second-secret",
}


def first(**more: str) -> ObjectStoreSettings:
    found = object_store_settings({**FIRST, **more})
    assert found is not None
    return found


def copies(variables: dict[str, str]) -> ObjectStoreSettings:
    found = copy_object_store_settings(variables, object_store_settings(variables))
    assert found is not None
    return found


def test_encryption_and_parts_are_left_to_the_store_by_default() -> None:
    assert first().server_side_encryption is None
    assert first().kms_key_id is None
    assert first().most_parts == 10_000


def test_encryption_and_parts_can_be_set() -> None:
    found = first(BACKUP_SSE="aws:kms", BACKUP_SSE_KMS_KEY_ID="alias/b", BACKUP_MOST_PARTS="1000")

    assert found.server_side_encryption == "aws:kms"
    assert found.kms_key_id == "alias/b"
    assert found.most_parts == 1000
    assert first(BACKUP_SSE="AES256").server_side_encryption == "AES256"


@pytest.mark.parametrize(
    ("variables", "what"),
    [
        ({"BACKUP_SSE": "aes256"}, "BACKUP_SSE is neither"),
        ({"BACKUP_SSE_KMS_KEY_ID": "k"}, "BACKUP_SSE is not aws:kms"),
        ({"BACKUP_SSE": "AES256", "BACKUP_SSE_KMS_KEY_ID": "k"}, "BACKUP_SSE is not aws:kms"),
        ({"BACKUP_MOST_PARTS": "99"}, "BACKUP_MOST_PARTS is not a number from 100 to 10000"),
        ({"BACKUP_MOST_PARTS": "10001"}, "BACKUP_MOST_PARTS"),
        ({"BACKUP_MOST_PARTS": "many"}, "BACKUP_MOST_PARTS"),
        ({"BACKUP_MOST_PARTS": "\u0661\u0660\u0660"}, "BACKUP_MOST_PARTS"),
    ],
)
def test_what_makes_no_sense_is_refused(variables: dict[str, str], what: str) -> None:
    with pytest.raises(ConfigurationError, match=what) as caught:
        object_store_settings({**FIRST, **variables})

    assert caught.value.hint


def test_without_its_variable_there_is_no_bucket_for_copies() -> None:
    assert copy_object_store_settings(FIRST, first()) is None


def test_a_bucket_at_another_provider_has_everything_of_its_own() -> None:
    found = copies({**FIRST, **COPY})

    assert found.location.uri() == "s3://copies"
    assert found.endpoint_url == "https://s3.example.net"
    assert (found.access_key_id, found.secret_access_key) == ("second-key", "second-secret")
    assert (found.session_token, found.region) == (None, None)


def test_keys_of_the_first_provider_are_never_shown_to_another() -> None:
    variables = {name: value for name, value in COPY.items() if "KEY" not in name}

    with pytest.raises(ConfigurationError, match="no key for it is set") as caught:
        copies({**FIRST, **variables})

    assert "BACKUP_COPY_SECRET_ACCESS_KEY" in caught.value.hint


def test_a_second_bucket_at_the_same_provider_shares_what_is_not_set() -> None:
    found = copies(
        {
            **FIRST,
            "BACKUP_MOST_PARTS": "1000",
            "BACKUP_COPY_BUCKET": "s3://copies",
            "BACKUP_COPY_REGION": "eu-2",
        }
    )

    assert found.endpoint_url == "https://s3.example.com"
    assert (found.access_key_id, found.session_token) == ("first-key", "first-token")
    assert found.region == "eu-2"
    assert found.most_parts == 1000


def test_another_account_at_the_same_provider_has_keys_of_its_own_and_no_foreign_token() -> None:
    variables = {name: value for name, value in COPY.items() if "ENDPOINT" not in name}
    found = copies({**FIRST, **variables})

    assert found.endpoint_url == "https://s3.example.com"
    assert (found.access_key_id, found.session_token) == ("second-key", None)


@pytest.mark.parametrize(
    ("endpoint", "copy_endpoint"),
    [
        ("https://s3.example.com", "https://s3.example.com"),
        ("https://s3.example.com", "https://S3.example.com:443/"),
        ("https://s3.example.com", ""),
        ("", "https://s3.eu-central-1.amazonaws.com"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/elsewhere"])
def test_copies_never_go_into_the_first_bucket(
    endpoint: str, copy_endpoint: str, prefix: str
) -> None:
    same = {
        **FIRST,
        **COPY,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "BACKUP_COPY_ENDPOINT_URL": copy_endpoint,
        "BACKUP_COPY_BUCKET": f"s3://backups{prefix}",
    }

    with pytest.raises(ConfigurationError, match="is the bucket that BACKUP_BUCKET names"):
        copies(same)


def test_a_bucket_of_the_same_name_elsewhere_is_another_one() -> None:
    found = copies({**FIRST, **COPY, "BACKUP_COPY_BUCKET": "s3://backups/bounty"})

    assert not found.is_same_bucket(first())


def test_half_a_key_and_a_malformed_bucket_are_named_by_their_own_variables() -> None:
    with pytest.raises(ConfigurationError, match="BACKUP_COPY_SECRET_ACCESS_KEY is not set"):
        copies({**FIRST, **COPY, "BACKUP_COPY_SECRET_ACCESS_KEY": ""})
    with pytest.raises(ConfigurationError, match="BACKUP_COPY_BUCKET does not name a bucket"):
        copies({**FIRST, **COPY, "BACKUP_COPY_BUCKET": "copies"})
    with pytest.raises(ConfigurationError, match="BACKUP_COPY_ENDPOINT_URL is not an http"):
        copies({**FIRST, **COPY, "BACKUP_COPY_ENDPOINT_URL": "s3.example.net"})


def test_a_wrong_second_bucket_leaves_the_first_usable(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {**FIRST, "BACKUP_COPY_BUCKET": "nonsense"})

    assert settings.require_object_store().location.bucket == "backups"
    assert settings.copy_object_store_problem in settings.problems
    with pytest.raises(ConfigurationError, match="BACKUP_COPY_BUCKET"):
        settings.require_copy_object_store()


def test_a_missing_second_bucket_is_said_when_it_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no second bucket") as caught:
        load_settings(tmp_path, FIRST).require_copy_object_store()

    assert "BACKUP_COPY_BUCKET" in caught.value.hint


def test_the_second_bucket_s_secret_is_known_as_one(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {**FIRST, **COPY})

    assert "second-secret" in settings.secrets()
    assert "second-" not in repr(settings.copy_object_store)


def test_a_sentence_about_the_first_bucket_can_be_told_about_the_second() -> None:
    sentence = "Set AWS_ACCESS_KEY_ID for AWS_ENDPOINT_URL_S3, or BACKUP_SSE, not BACKUP_SSE_KMS"

    assert VariableNames().in_words_of(sentence) == sentence
    assert COPY_NAMES.in_words_of(sentence) == (
        "Set BACKUP_COPY_ACCESS_KEY_ID for BACKUP_COPY_ENDPOINT_URL, or BACKUP_COPY_SSE, "
        "not BACKUP_SSE_KMS"
    )


@pytest.mark.parametrize("names", [VariableNames(), COPY_NAMES])
def test_every_variable_is_on_the_page_on_settings(names: VariableNames) -> None:
    page = PAGE.read_text(encoding="utf-8")

    for name in dataclasses.astuple(names):
        assert f"`{name}`" in page
