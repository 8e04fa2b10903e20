"""The rule about what will run out, as long as there is time to act. Pure."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeGuard

from bounty_ops.alerting.seeing import level
from bounty_ops.alerting.situation import Answer, Finding, Rule, Situation, Undecided
from bounty_ops.monitoring.findings import size
from bounty_ops.monitoring.forecast import Forecast, Silence
from bounty_ops.monitoring.outlooks import SHARE, Ceiling, Kind, Outlook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.environments.alerts import RuleSettings

_DAY: Final = timedelta(days=1)
#: Once they are reached, no other rule tells of these.
_ALONE: Final[frozenset[Kind]] = frozenset({"storage", "table"})
_REMEDIES: Final[Mapping[Kind, str]] = MappingProxyType({
    "storage": "make room (bounty-ops monitor report -e {environment} names what nobody deletes "
    "and which indexes nobody uses), or enlarge the disk and then storage_limit_gb.",
    "table": "partition it, or delete what is old: a relation of PostgreSQL ends at 32 TiB.",
    "sequence": "write a migration that makes the column it feeds bigint in steps, and the "
    "sequence AS bigint.",
    "transaction ids": "find what holds VACUUM back (old transactions, prepared ones, slots), "
    "then VACUUM (FREEZE) the oldest tables.",
    "multixact ids": "find what holds VACUUM back (old transactions, prepared ones, slots), "
    "then VACUUM (FREEZE) the oldest tables.",
    "connections": "bounty-ops monitor connections -e {environment} says who has them; put a "
    "pooler in between before the limit is raised.",
})  # fmt: skip


def limit_in_sight(situation: Situation, settings: RuleSettings) -> Answer:
    """What grows as it did reaches its limit soon; silent about what cannot be foretold."""
    seen = situation.outlooks
    if seen is None:
        return Undecided("nobody looked ahead")
    if isinstance(seen, Undecided):
        return seen
    findings: list[Finding] = []
    unknown: list[str] = []
    for outlook in seen:
        told = outlook.told
        if told is Silence.UNKNOWABLE or (isinstance(told, Forecast) and told.latest is None):
            unknown.append(outlook.ceiling.subject)
            continue
        found = _finding(situation, settings, outlook)
        if found is not None:
            findings.append(found)
    if unknown:
        reason = f"when {', '.join(unknown[:3])} will be full cannot be foretold"
        return Undecided(reason, frozenset(unknown), tuple(findings))
    return findings


def _finding(situation: Situation, settings: RuleSettings, outlook: Outlook) -> Finding | None:
    told, ceiling = outlook.told, outlook.ceiling
    if isinstance(told, Forecast):
        days, when = (told.earliest - situation.now) / _DAY, told.words()
    elif told is Silence.REACHED and ceiling.kind in _ALONE:
        days, when = 0.0, "now"
    else:
        return None
    bad = level(days, settings, below=True)
    if bad is None:
        return None
    what = ceiling.subject if ceiling.kind != "sequence" else f"sequence {ceiling.subject}"
    pace = f", and grew by {_amount(ceiling, told.per_day)} a day" if _grows(told) else ""
    remedy = _REMEDIES[ceiling.kind].format(environment=situation.environment)
    return Finding(
        rule=Rule.LIMIT_IN_SIGHT,
        subject=ceiling.subject,
        severity=bad.severity,
        title=f"[{situation.environment}] {what} reaches {SHARE:.0%} of its limit {when}",
        body=f"{_amount(ceiling, ceiling.used)} of {_amount(ceiling, ceiling.whole)} are used "
        f"({ceiling.used / ceiling.whole:.0%}){pace}. Eight of ten forecasts come true if it goes "
        f"on like that.\nDo: {remedy}",
        evidence={
            "used": ceiling.used,
            "limit": ceiling.whole,
            "earliest": told.earliest.isoformat() if _grows(told) else None,
            "latest": told.latest.isoformat() if _grows(told) and told.latest else None,
        },
        held=bad.held,
    )


def _grows(told: Forecast | Silence) -> TypeGuard[Forecast]:
    return isinstance(told, Forecast)


def _amount(ceiling: Ceiling, value: float) -> str:
    if ceiling.kind in {"storage", "table"}:
        return size(value)
    if ceiling.kind == "sequence":
        return f"{value:.2%}"
    return f"{value:,.0f}" if value >= 10 else f"{value:,.1f}"  # noqa: PLR2004 - one digit below ten
