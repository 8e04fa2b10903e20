"""Which environments there are, from where their settings come, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import DatabaseUrl, load_settings
from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "postgresql://app:s3cret@db.example/bounty"
TLS = PLAIN + "?sslmode=verify-full"


def test_nothing_set_is_one_development_environment_for_an_embedded_server(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {})
    assert list(settings.environments) == ["development"]
    assert settings.environment().can_be_embedded
    assert settings.problems == ()
    assert settings.state_dir == tmp_path / ".bounty-ops"


def test_database_url_alone_is_the_environment_that_bounty_env_names(tmp_path: Path) -> None:
    assert list(load_settings(tmp_path, {"DATABASE_URL": PLAIN}).environments) == ["development"]
    settings = load_settings(tmp_path, {"DATABASE_URL": TLS, "BOUNTY_ENV": "production"})
    assert list(settings.environments) == ["production"]
    assert settings.environment().policy.protected
    assert settings.environment().require_url() == DatabaseUrl.parse(TLS)


def test_each_env_file_is_an_environment_and_examples_are_none(tmp_path: Path) -> None:
    for name in ("development", "staging", "production", "example", "production.local"):
        (tmp_path / f".env.{name}").write_text(f"DATABASE_URL='{TLS}'\n")
    settings = load_settings(tmp_path, {})
    assert list(settings.environments) == ["development", "production", "staging"]
    assert all(environment.configured for environment in settings.environments.values())


def test_a_variable_outranks_the_named_file_outranks_the_shared_file(tmp_path: Path) -> None:
    def host(name: str) -> str:
        return f"postgresql://u:p@{name}/d"

    (tmp_path / ".env").write_text(f"DATABASE_URL={host('shared')}\n")
    assert load_settings(tmp_path, {}).environment().require_url().host == "shared"
    (tmp_path / ".env.development").write_text(f"DATABASE_URL={host('named')}\n")
    assert load_settings(tmp_path, {}).environment().require_url().host == "named"
    as_dagster_copies_it = {"DATABASE_URL": host("shared")}
    settings = load_settings(tmp_path, as_dagster_copies_it)
    assert settings.environment().require_url().host == "named"
    settings = load_settings(tmp_path, {"DATABASE_URL": host("variable")})
    assert settings.environment().require_url().host == "variable"


def test_an_embedded_server_never_stands_in_for_another_environment(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"BOUNTY_ENV": "production", "DATABASE_URL": " "})
    production = settings.environment("production")
    assert not production.can_be_embedded
    with pytest.raises(ConfigurationError, match="no DATABASE_URL"):
        production.require_url()


def test_with_only_production_configured_there_is_no_development_to_fall_into(
    tmp_path: Path,
) -> None:
    (tmp_path / ".env.production").write_text(f"DATABASE_URL={TLS}\n")
    with pytest.raises(ConfigurationError, match="there are: production"):
        load_settings(tmp_path, {}).environment()
    asked_for = load_settings(tmp_path, {"BOUNTY_ENV": "development"})
    assert asked_for.environment().can_be_embedded


def test_a_broken_url_makes_its_environment_unconfigured_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".env.staging").write_text("DATABASE_URL=postgresql://app:p@ss@db/x\n")
    (tmp_path / ".env.production").write_text(f"DATABASE_URL={TLS}\n")
    settings = load_settings(tmp_path, {"DATABASE_URL": "nonsense"})
    assert not settings.environment("development").can_be_embedded
    assert settings.environment("production").configured
    with pytest.raises(ConfigurationError, match=r"\.env\.staging: .* unencoded `@`"):
        settings.environment("staging").require_url()


def test_policies_come_from_one_file_over_documented_defaults(tmp_path: Path) -> None:
    (tmp_path / "bounty_ops.toml").write_text(
        '[defaults]\ntimezone = "Europe/Berlin"\n'
        '[environments.staging]\nprotected = true\nnightly_cron = "30 3 * * *"\n'
    )
    settings = load_settings(tmp_path, {})
    staging = settings.environment("staging")
    assert (staging.policy.protected, staging.policy.tls) == (True, "verify-full")
    assert (staging.policy.timezone, staging.policy.nightly_cron) == (
        "Europe/Berlin",
        "30 3 * * *",
    )
    with pytest.raises(ConfigurationError, match="unconfigured"):
        staging.require_url()


@pytest.mark.parametrize(
    "cron", ["0 2 * * *", "*/15 0-6,22 1 jan-mar MON-fri", "5,10-20/2 * 31 12 7", "0  2 * * sun"]
)
def test_cron_expressions_of_every_form_are_taken(tmp_path: Path, cron: str) -> None:
    (tmp_path / "bounty_ops.toml").write_text(f'[defaults]\nnightly_cron = "{cron}"\n')
    environment = load_settings(tmp_path, {}).environment()
    assert environment.problem is None
    assert environment.policy.nightly_cron == " ".join(cron.split())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[environments.production]\nprotectd = true\n", "protectd"),
        ('[defaults]\ntimezone = "Mars/Olympus"\n', "time zone"),
        ('[defaults]\nnightly_cron = "whenever"\n', "five fields"),
        ('[defaults]\nnightly_cron = "0 99 * * *"\n', "hour"),
        ('[defaults]\nnightly_cron = "0 5-2 * * *"\n', "hour"),
        ('[defaults]\nnightly_cron = "*/0 * * * *"\n', "minute"),
        ('[defaults]\nnightly_cron = "0 2 * * someday"\n', "weekday"),
        ("[defaults]\nconnection_warning_ratio = 1.5\n", "connection_warning_ratio"),
        ("[defaults]\nconnection_warning_ratio = 0.95\n", "above"),
        ('[defaults]\ncompression = "zip"\n', "compression"),
        ("[enviroments.production]\n", "enviroments"),
        ("defaults = 3\n", "defaults"),
        ("[defaults\n", "cannot be read"),
    ],
)
def test_a_wrong_policy_file_makes_environments_unusable_not_unprotected(
    tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / ".env.production").write_text(f"DATABASE_URL={TLS}\n")
    (tmp_path / "bounty_ops.toml").write_text(text)
    production = load_settings(tmp_path, {}).environment("production")
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        production.require_url()
    assert "bounty_ops.toml" in f"{caught.value} {caught.value.hint}"


def test_a_name_that_no_asset_can_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env.pre-production").write_text(f"DATABASE_URL={TLS}\n")
    with pytest.raises(ConfigurationError, match="cannot be the name"):
        load_settings(tmp_path, {}).environment("pre-production").require_url()


def test_channels_name_variables_that_hold_the_addresses(tmp_path: Path) -> None:
    (tmp_path / "bounty_ops.toml").write_text('[defaults]\nchannels = ["PAGER", "CHAT"]\n')
    (tmp_path / ".env.production").write_text(f"DATABASE_URL={TLS}\nCHAT=json://chat.example\n")
    production = load_settings(tmp_path, {"PAGER": "json://pager.example"}).environment(
        "production"
    )
    assert production.alert_urls == ("json://pager.example", "json://chat.example")
    assert "pager.example" not in repr(production)


def test_the_operations_database_is_never_the_one_that_is_backed_up(tmp_path: Path) -> None:
    same = PLAIN.replace("app:s3cret", "ops:other") + "?connect_timeout=3"
    settings = load_settings(tmp_path, {"DATABASE_URL": PLAIN, "OPS_DATABASE_URL": same})
    with pytest.raises(ConfigurationError, match="database of development"):
        settings.require_ops_url()


def test_the_bucket_and_its_provider_come_by_the_names_boto3_knows(tmp_path: Path) -> None:
    settings = load_settings(
        tmp_path,
        {
            "BACKUP_BUCKET": "s3://backups/bounty/",
            "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9000",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "top-secret",
            "AWS_REGION": "auto",
        },
    )
    store = settings.require_object_store()
    assert (store.location.bucket, store.location.prefix) == ("backups", "bounty")
    assert store.location.key("a/b") == "bounty/a/b"
    assert (store.endpoint_url, store.region) == ("http://127.0.0.1:9000", "auto")
    assert "top-secret" not in repr(settings)
    assert "top-secret" in settings.secrets()


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"BACKUP_BUCKET": "backups"}, "BACKUP_BUCKET"),
        ({"BACKUP_BUCKET": "s3://"}, "BACKUP_BUCKET"),
        ({"BACKUP_BUCKET": "s3://b/../c"}, "prefix|BACKUP_BUCKET"),
        ({"BACKUP_BUCKET": "s3://backups", "AWS_ACCESS_KEY_ID": "a"}, "AWS_SECRET_ACCESS_KEY"),
        ({"BACKUP_BUCKET": "s3://backups", "AWS_ENDPOINT_URL_S3": "h:9000"}, "AWS_ENDPOINT_URL"),
    ],
)
def test_a_wrong_bucket_is_a_problem_that_using_it_raises(
    tmp_path: Path, variables: dict[str, str], complaint: str
) -> None:
    settings = load_settings(tmp_path, variables)
    with pytest.raises(ConfigurationError, match=complaint):
        settings.require_object_store()
    assert settings.environment().can_be_embedded
