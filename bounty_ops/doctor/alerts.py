"""Whether somebody would be told: channels, what they took lately, and whether anybody looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from bounty_ops.alerting.channel_states import UNHEARD, channel_states
from bounty_ops.alerting.channels import open_channels
from bounty_ops.doctor.result import CheckResult, State, ok
from bounty_ops.postgres.connect import engine, translated
from bounty_ops.schema.ops import Evaluation

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl, Environment

_NAME: Final = "alert path"
#: The sensor that asks the rules runs every minute.
_EVALUATED_WITHIN: Final = timedelta(minutes=15)


def alert_path(environment: Environment, operations: DatabaseUrl) -> CheckResult:
    """From the rules to the people; nothing is sent, `alerts test` does that.

    Raises:
        BountyOpsError: the operations database cannot be asked.
    """
    name = environment.name
    channels, refused = open_channels(environment.alert_urls)
    if refused:
        return CheckResult(_NAME, name, State.FAILED, str(refused[0]), refused[0].hint)
    if not channels:
        return _nobody(environment)
    now = datetime.now(UTC)
    with translated(operations):
        pool = engine(operations, application_name="bounty-ops doctor")
        states = channel_states(pool, name, environment.alert_urls, now=now)
        with pool.connect() as connection:
            evaluated = connection.scalar(
                select(Evaluation.evaluated_at).where(Evaluation.environment == name)
            )
    for each in states:
        late = each.oldest_waiting_at is not None and now - each.oldest_waiting_at > UNHEARD
        if each.dead or late:
            found = f"{each.name} does not take messages: {each.last_error or 'they wait'}"
            remedy = f"Correct the channel, then try it: bounty-ops alerts test -e {name}"
            return CheckResult(_NAME, name, State.FAILED, found, remedy)
    if evaluated is None or now - evaluated > _EVALUATED_WITHIN:
        since = "never" if evaluated is None else f"last at {evaluated:%Y-%m-%d %H:%M} UTC"
        return CheckResult(
            _NAME,
            name,
            State.WARNING,
            f"the rules were evaluated {since}: nobody would notice anything",
            f"Run Dagster's daemon with the sensor {name}_watch switched on.",
        )
    return ok(_NAME, name, f"{len(states)} channels take messages, and the rules are evaluated")


def _nobody(environment: Environment) -> CheckResult:
    found = "no channel is set: incidents are recorded, and nobody is told"
    if not environment.policy.protected:
        return ok(_NAME, environment.name, found)
    named = " or ".join(environment.policy.channels) or "a variable that `channels` names"
    remedy = f"Set {named} in .env.{environment.name} (docs/reference/alerts.md)."
    return CheckResult(_NAME, environment.name, State.WARNING, found, remedy)
