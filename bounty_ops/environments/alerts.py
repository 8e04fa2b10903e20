"""What alerting goes by: the tables `[alerts]` and `[environments.NAME.alerts]`.

A setting that cannot be read must not make alerting blind: the defaults are in force then, and
the mistake is itself an alert.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from bounty_ops.environments.alert_rules import DEFAULTS, Rule
from bounty_ops.environments.cron import Cron, CronTimes
from bounty_ops.environments.durations import Duration
from bounty_ops.environments.policy import Policy, TimeZone
from bounty_ops.errors import ConfigurationError

Tier = Literal["production", "staging", "development"]
SeverityName = Literal["info", "warning", "critical"]
#: Environments by these names are for trying things out: nobody is told about them.
DEVELOPMENT_NAMES: Final = frozenset({"development", "dev", "local", "test", "ci"})
_NEVER: Final = timedelta(0)
_MODEL: Final = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class RuleSettings(BaseModel):
    """What one rule goes by in one environment."""

    model_config = _MODEL

    enabled: bool = Field(default=True, description="Whether the rule is asked at all.")
    severity: SeverityName = Field(
        default="critical",
        description="The gravest that the rule may be; `info` is recorded and never told.",
    )
    warning: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="The threshold, in the unit of the rule."
    )
    critical: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="The threshold from which on it is critical."
    )
    minimum: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="A second condition, where the rule has one."
    )
    hysteresis: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0,
        description="By which share the value has to come back behind `warning` to be over.",
    )
    for_: Duration = Field(
        default=timedelta(0),
        alias="for",
        description="How long it has to last before it is told; until then it is pending.",
    )
    critical_for: Duration | None = Field(
        default=None, description="The same, before it is told as critical; not set: `for`."
    )
    keep_firing_for: Duration = Field(
        default=timedelta(0), description="How long it has to be over before it is resolved."
    )
    repeat: Duration | None = Field(
        default=None,
        description="After what time it is told again; 0: never. Not set: `repeat_critical` or "
        "`repeat_warning`.",
    )
    remedy: str = Field(default="", description="What to do, in place of the rule's own words.")


class Maintenance(BaseModel):
    """A time in which nobody is told: one with start and end, or one that comes again."""

    model_config = _MODEL

    environments: tuple[str, ...] = Field(default=("*",), description="Patterns of names.")
    rules: tuple[str, ...] = Field(default=("*",), description="Patterns of names.")
    reason: Annotated[str, Field(min_length=1)] = Field(description="Why; it is shown.")
    start: AwareDatetime | None = Field(default=None, description="When it begins ...")
    end: AwareDatetime | None = Field(default=None, description="... and ends.")
    cron: Cron | None = Field(default=None, description="Or: when it begins, again and again ...")
    lasts: Duration | None = Field(default=None, description="... and for how long.")
    timezone: TimeZone = Field(default="UTC", description="Time zone of `cron`.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        once = self.start is not None and self.end is not None
        again = self.cron is not None and self.lasts is not None
        partly = {self.start, self.end, self.cron, self.lasts} - {None}
        if once == again or len(partly) != 2:  # noqa: PLR2004 - the two that belong together
            message = "give start and end, or cron and lasts"
            raise ValueError(message)
        if self.start is not None and self.end is not None and self.start >= self.end:
            message = "it ends before it starts"
            raise ValueError(message)
        if self.lasts is not None and not _NEVER < self.lasts <= timedelta(days=7):
            message = "lasts is longer than nothing, and at most 7d"
            raise ValueError(message)
        return self

    def open_at(self, now: datetime) -> bool:
        """Whether it is on."""
        if self.start is not None and self.end is not None:
            return self.start <= now < self.end
        assert self.cron is not None  # noqa: S101 - `_whole` has seen to it
        assert self.lasts is not None  # noqa: S101 - same
        zone = ZoneInfo(self.timezone)
        return CronTimes.parse(self.cron).within(now.astimezone(UTC), self.lasts, zone)


class Flapping(BaseModel):
    """When something that comes and goes is told once, and then left alone."""

    model_config = _MODEL

    changes: Annotated[int, Field(ge=3, le=100)] = Field(
        default=6, description="So many changes between firing and resolved ..."
    )
    within: Duration = Field(default=timedelta(hours=1), description="... within that time.")
    quiet: Duration = Field(
        default=timedelta(minutes=30), description="Over once nothing has changed for so long."
    )


class AlertSettings(BaseModel):
    """What alerting goes by in one environment."""

    model_config = _MODEL

    tier: Tier = Field(
        default="production",
        description="Which defaults: `production` where the environment is protected, "
        "`development` by that name (dev, local, test, ci), else `staging`.",
    )
    tell: Literal["critical", "warning", "nothing"] = Field(
        default="warning",
        description="The mildest that is told to anybody. `nothing` where the tier is "
        "`development`; incidents are recorded all the same.",
    )
    repeat_critical: Duration = Field(
        default=timedelta(hours=4), description="After what time a critical one is told again."
    )
    repeat_warning: Duration = Field(
        default=timedelta(hours=24), description="The same for a warning; 0: never."
    )
    runbook: str = Field(
        default="docs/runbooks/{rule}.md",
        pattern=r"^$|\{rule\}",
        description="Where the page on what to do is, for messages: a URL with `{rule}` in it. "
        "Empty: none is named.",
    )
    flapping: Flapping = Field(default_factory=Flapping, description="See below.")
    rules: dict[Rule, RuleSettings] = Field(default_factory=dict, description="By name.")
    maintenance: dict[str, Maintenance] = Field(default_factory=dict, description="By name.")

    @classmethod
    def of(cls, name: str, policy: Policy, *layers: Mapping[str, Any]) -> Self:
        """The settings of one environment: defaults of its tier, then each layer over them.

        Raises:
            pydantic.ValidationError: a layer has an unknown key or a value out of range.
        """
        values: dict[str, Any] = {}
        rules: dict[str, dict[str, Any]] = {}
        for layer in layers:
            own = layer.get("rules", {})
            values.update({key: value for key, value in layer.items() if key != "rules"})
            if not isinstance(own, dict) or not all(isinstance(one, dict) for one in own.values()):
                return cls.model_validate({"rules": own})  # which says what is wrong with it
            for rule, given in own.items():
                rules[rule] = {**rules.get(rule, {}), **given}
        tier = values.setdefault("tier", tier_of(name, policy))
        if tier == "development":
            values.setdefault("tell", "nothing")
        values["rules"] = {
            **{rule: {**_default(rule, tier, policy), **rules.get(rule, {})} for rule in Rule},
            **{rule: given for rule, given in rules.items() if rule not in set(Rule)},
        }
        return cls.model_validate(values)

    def rule(self, rule: Rule) -> RuleSettings:
        """What a rule goes by."""
        return self.rules[rule]


def tier_of(name: str, policy: Policy) -> Tier:
    """Which defaults an environment has unless its table says otherwise."""
    if policy.protected:
        return "production"
    return "development" if name in DEVELOPMENT_NAMES else "staging"


def _default(rule: Rule, tier: object, policy: Policy) -> dict[str, Any]:
    default = DEFAULTS[rule]
    found = {
        **{threshold: getattr(policy, field) for threshold, field in default.policy.items()},
        **default.values,
    }
    if tier in {"staging", "development"}:  # what is no emergency in one is none in the other
        found.update(default.staging)
    if tier == "development":
        found.update(default.development)
    return found


def alerts_of(
    name: str, policy: Policy, tables: Mapping[str, object], where: str
) -> tuple[AlertSettings, ConfigurationError | None]:
    """The settings of one environment; the defaults, and what is wrong, if they cannot be read."""
    everywhere = tables.get("alerts", {})
    environments = tables.get("environments", {})
    own = environments.get(name, {}) if isinstance(environments, dict) else {}
    here = own.get("alerts", {}) if isinstance(own, dict) else {}
    if not isinstance(everywhere, dict) or not isinstance(here, dict):
        return AlertSettings.of(name, policy), _wrong(where, name, "alerts: it is no table")
    try:
        return AlertSettings.of(name, policy, everywhere, here), None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        return AlertSettings.of(name, policy), _wrong(where, name, f"{place}: {first['msg']}")


def _wrong(where: str, name: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where}, alerts of {name}: {what}",
        hint=f"Correct it in [alerts] or [environments.{name}.alerts]; until then the defaults "
        "are in force. The fields are listed in docs/reference/alerts.md.",
    )
