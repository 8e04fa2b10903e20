"""What an environment's owner decided: schedules, limits, and how dear the data is."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

from bounty_ops.environments.cron import Cron, later, spread_minutes
from bounty_ops.environments.tls import Tls, by_former_name

#: Environments by these names are protected unless bounty_ops.toml says otherwise.
PROTECTED_NAMES: Final = frozenset({"production", "prod"})


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"no time zone is called {name!r}"
        raise ValueError(message) from None
    return name


def _known_compression(value: str) -> str:
    if not re.fullmatch(r"(zstd|gzip|lz4)(:\d{1,2})?|none", value):
        message = "compression is zstd, gzip or lz4 with an optional level (zstd:1), or none"
        raise ValueError(message)
    return value


def _known_recipient(value: str) -> str:
    # The public key of age's X25519 recipients: Bech32 of 32 bytes (age specification, v1).
    if re.fullmatch(r"age1[02-9ac-hj-np-z]{58}", value):
        return value
    # What was pasted may be the private key, so it is not repeated.
    message = "a recipient is a public key of age, which begins with age1 and has 62 characters"
    raise ValueError(message)


TimeZone = Annotated[str, AfterValidator(_known_timezone)]
Compression = Annotated[str, AfterValidator(_known_compression)]
Recipient = Annotated[str, AfterValidator(_known_recipient)]
Ratio = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
ScheduledJob = Literal["nightly", "collect", "check_schema"]
#: Refuses a URL that was written in the place of the variable's name.
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Policy(BaseModel):
    """The policy of one environment; every field has a default, and none is a secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    protected: bool = Field(
        default=False, description="Changes need a plan's digest; seeding and resets are refused."
    )
    tls: Tls = Field(
        default="as_written",
        description="The least that a connection over a network has to be certain of, as libpq's "
        "sslmode: `verify-full`, `verify-ca`, `require`, or `as_written` (what the URL says). "
        "`verify-full` by default where `protected` is.",
    )
    timezone: TimeZone = Field(default="UTC", description="Time zone of the cron expressions.")
    nightly_cron: Cron = Field(default="0 2 * * *", description="When to back up and verify.")
    nightly_spread_minutes: Annotated[int, Field(ge=0, lt=1440)] = Field(
        default=0,
        description="The nightly job begins up to so many minutes after `nightly_cron`: how many "
        "follows from the environment's name, so that a fleet does not begin at once.",
    )
    collection_cron: Cron = Field(
        default="7 * * * *",
        description="When the assets of monitoring are materialized, so that Dagster plots them. "
        "Samples are taken by a sensor, at a pace of their own.",
    )
    monitor_wakes: bool = Field(
        default=True,
        description="Whether a connection may be made only to measure. `false` for a serverless "
        "database that is to stay suspended: the schedule skips, and says so; `bounty-ops monitor "
        "collect` measures when somebody asks.",
    )
    job_tags: dict[ScheduledJob, dict[str, str | dict[str, JsonValue]]] = Field(
        default={},
        description="Dagster's tags for the runs of the scheduled jobs (`nightly`, `collect`, "
        "`check_schema`): resources in Kubernetes, a queue of Celery, a priority.",
    )
    backup_max_age_hours: Positive = Field(
        default=26, description="Older than that, the newest backup is overdue."
    )
    proof_max_age_hours: Positive = Field(
        default=26, description="Older than that, the newest proved backup is overdue."
    )
    rto_minutes: Positive = Field(
        default=240,
        description="How long fetching and restoring may take; longer is an alert. The other "
        "objective, how much may be lost, is `proof_max_age_hours`.",
    )
    size_change_ratio: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.5,
        description="A newest backup that is smaller or larger than the median of those before it "
        "by more than this share is an alert.",
    )
    ping: VariableName | None = Field(
        default=None,
        description="Name of the variable that holds the URL to call after each proof "
        "(a dead-man's switch). Give each environment a URL of its own.",
    )
    watch_ping: VariableName | None = Field(
        default=None,
        description="Name of the variable that holds the URL to call after each look of the "
        "watcher that told people what it had to (a dead-man's switch for the watcher itself). "
        "Never the URL of `ping`.",
    )
    connection_warning_ratio: Ratio = Field(
        default=0.75, description="Warn at this share of the usable connections."
    )
    connection_critical_ratio: Ratio = Field(
        default=0.9, description="Critical at this share of the usable connections."
    )
    storage_limit_gb: Positive | None = Field(
        default=None,
        description="How many GB (of 1024 MB) the database may take: its disk, or what the plan of "
        "a provider allows. No server says it to its clients; not set: nobody looks ahead.",
    )
    slow_query_seconds: Positive = Field(
        default=5, description="A query that runs longer is reported."
    )
    statements_listed: Annotated[int, Field(ge=20, le=1_000)] = Field(
        default=50,
        description="How many statements of pg_stat_statements are kept by themselves with each "
        "collection; the others are kept as one sum.",
    )
    sampling_seconds: Annotated[float, Field(ge=0, le=60)] = Field(
        default=1,
        description="For how long a collection looks at what runs, where there is no "
        "pg_stat_statements. 0: not at all.",
    )
    compression: Compression = Field(
        default="zstd:1", description="pg_dump's --compress; gzip:1 where zstd is not built in."
    )
    encrypt_to: tuple[Recipient, ...] = Field(
        default=(),
        description="Public keys of age (age1...); backups are encrypted to all of them, and any "
        "one's private key opens them. Empty: not encrypted by us.",
    )
    compare: Literal["content", "counts", "nothing"] = Field(
        default="content",
        description="What of each table is recorded for the proof: a fingerprint of every row, "
        "the number of rows, or nothing. Only `content` can lead to `proved`.",
    )
    shard_above_gib: Positive = Field(
        default=8, description="The rows of a larger table go into an object of their own."
    )
    shard_jobs: Annotated[int, Field(ge=1, le=16)] = Field(
        default=2, description="How many objects of one backup are dumped and sent at a time."
    )
    object_lock: Literal["none", "governance", "compliance"] = Field(
        default="none",
        description="Whether the store itself refuses to delete a backup (S3 Object Lock).",
    )
    object_lock_days: Annotated[int, Field(ge=1, le=36500)] = Field(
        default=30, description="For how many days after the snapshot, where `object_lock` is set."
    )
    keep_last: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="How many of the newest proved backups are kept. Without any of these five "
        "rules every backup is kept.",
    )
    keep_daily: Annotated[int, Field(ge=0)] = Field(
        default=0, description="The newest proved one of each of so many days that have one."
    )
    keep_weekly: Annotated[int, Field(ge=0)] = Field(
        default=0, description="The same for ISO weeks, which begin on Monday."
    )
    keep_monthly: Annotated[int, Field(ge=0)] = Field(default=0, description="The same for months.")
    keep_yearly: Annotated[int, Field(ge=0)] = Field(default=0, description="The same for years.")
    keep_manual_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        default=90, description="A backup that was taken by hand is kept at least so long."
    )
    keep_unproved_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        default=7,
        description="One that was never proved is kept so long, and longer until a newer one is.",
    )
    keep_refuted_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        default=30,
        description="One that was refuted is evidence for so long, and longer until a newer one "
        "is proved.",
    )
    prune_most_share: Ratio = Field(
        default=0.5,
        description="The share of all backups that may be deleted at once; one always may.",
    )
    prune_nightly: bool = Field(
        default=True,
        description="Whether the nightly job deletes by these rules, once this night's backup is "
        "proved.",
    )
    copy_after_proof: bool = Field(
        default=True,
        description="Whether the nightly job copies what is proved into the second bucket, where "
        "BACKUP_COPY_BUCKET names one.",
    )
    lock_timeout_seconds: Positive = Field(
        default=5, description="How long one attempt waits for a lock."
    )
    give_way_after_seconds: Positive = Field(
        default=60,
        description="A backup that somebody has waited behind for so long, such as an ALTER TABLE "
        "and everybody behind that, gives way and begins again.",
    )
    lock_attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        default=5, description="How many attempts are made to get the locks."
    )
    statement_timeout_seconds: Positive = Field(
        default=60,
        description="How long a statement of a migration may run that blocks others; one that "
        "blocks nobody (CREATE INDEX CONCURRENTLY, VALIDATE CONSTRAINT) may run for "
        "`long_statement_timeout_seconds`.",
    )
    long_statement_timeout_seconds: Positive = Field(
        default=14_400, description="The same for statements that block nobody."
    )
    migrate_first_on: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,30})?$")] = Field(
        default="staging",
        description="The environment that has to have had a migration before this one, where "
        "this one is protected. Empty: there is none, and the gate is not asked.",
    )
    migrate_soak_hours: Annotated[float, Field(ge=0)] = Field(
        default=24, description="How long it has to have been there."
    )
    migrate_backup_max_age_hours: Positive = Field(
        default=24, description="How old the proved backup may be that a migration rests on."
    )
    migrate_rehearsal_max_age_hours: Positive = Field(
        default=168, description="How old the certificate of a rehearsal may be."
    )
    migrate_second_person: bool = Field(
        default=False, description="Whether somebody else than the operator has to approve."
    )
    channels: tuple[str, ...] = Field(
        default=("ALERT_URL",),
        description="Names of variables, each holding an Apprise URL (they carry tokens, so the "
        "URLs themselves never stand in this file).",
    )
    keep_samples_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        default=7,
        description="Samples are kept as they were taken for so many days. Where environments "
        "differ in this and the next two, the longest holds for all.",
    )
    keep_five_minutes_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        default=90, description="In steps of five minutes for so many days."
    )
    keep_hourly_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        default=730, description="In steps of an hour for so many days."
    )

    @model_validator(mode="before")
    @classmethod
    def _former_name(cls, values: object) -> object:
        return by_former_name(values) if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _ordered(self) -> Policy:
        if self.connection_warning_ratio > self.connection_critical_ratio:
            message = "connection_warning_ratio is above connection_critical_ratio"
            raise ValueError(message)
        if self.nightly_spread_minutes:
            later(self.nightly_cron, self.nightly_spread_minutes - 1)
        return self

    def nightly_of(self, name: str) -> Cron:
        """When the nightly job of the environment `name` begins."""
        return later(self.nightly_cron, spread_minutes(name, self.nightly_spread_minutes))

    @classmethod
    def of(cls, name: str, *layers: dict[str, object]) -> Policy:
        """The policy of the environment `name`: built-in defaults, then each layer over them.

        Raises:
            pydantic.ValidationError: a layer has an unknown key or a value out of range.
        """
        values: dict[str, object] = {}
        for layer in layers:
            values.update(layer)
        values.setdefault("protected", name in PROTECTED_NAMES)
        if "require_tls" not in values:
            values.setdefault("tls", "verify-full" if values["protected"] else "as_written")
        return cls.model_validate(values)
