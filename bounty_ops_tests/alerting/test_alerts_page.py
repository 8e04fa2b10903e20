"""The page on alerts lists every rule and every setting with its default."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

import bounty_ops
from bounty_ops.alerting.grouping import HIDES
from bounty_ops.environments import AlertSettings, Policy, load_settings
from bounty_ops.environments.alert_rules import DEFAULTS, Rule
from bounty_ops.environments.alerts import Flapping, Maintenance, RuleSettings
from bounty_ops.environments.durations import duration_text
from bounty_ops.monitoring.findings import size

if TYPE_CHECKING:
    from datetime import timedelta

PAGE = Path(bounty_ops.__file__).parents[1] / "docs" / "reference" / "alerts.md"
TIERS = ("production", "staging", "development")


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def _settings(tier: str) -> AlertSettings:
    return AlertSettings.of("any", Policy(protected=True), {"tier": tier})


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return size(value) if unit == "bytes" else f"{value:,g}"


def _span(span: timedelta | None) -> str:
    return "" if not span else duration_text(span)


def _elsewhere(rule: Rule, tier: str) -> str:
    """What differs from production."""
    here, there = _settings(tier).rule(rule), _settings("production").rule(rule)
    if not here.enabled:
        return "off"
    found = []
    if here.severity != there.severity:
        found.append(f"at most {here.severity}")
    for name in ("warning", "for_"):
        if getattr(here, name) != getattr(there, name):
            value = getattr(here, name)
            shown = _number(value, "") if name == "warning" else _span(value)
            found.append(f"{name.rstrip('_')} {shown}")
    return ", ".join(found)


def rules_table() -> str:
    lines = [
        "| rule | fires when | unit | warning | critical | for | at most | staging | development |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for rule, default in DEFAULTS.items():
        own = _settings("production").rule(rule)
        span = _span(own.for_)
        if own.critical_for is not None and own.critical_for != own.for_:
            span += f" (critical {_span(own.critical_for)})"
        cells = [
            f"`{rule.value}`",
            _meaning(default.means, own, default.unit),
            default.unit,
            _number(own.warning, default.unit),
            _number(own.critical, default.unit),
            span,
            own.severity,
            _elsewhere(rule, "staging"),
            _elsewhere(rule, "development"),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _meaning(means: str, own: RuleSettings, unit: str) -> str:
    if own.minimum is None:
        return means
    return means.replace("`minimum`", f"`minimum` ({_minimum(own.minimum, unit)})")


def _minimum(value: float, unit: str) -> str:
    return size(value) if value >= 1024**2 and unit == "ratio" else f"{value:,g}"


def policies_table() -> str:
    lines = ["| rule | threshold | field of the policy |", "| --- | --- | --- |"]
    for rule, default in DEFAULTS.items():
        for threshold, field in default.policy.items():
            lines.append(f"| `{rule.value}` | `{threshold}` | `{field}` |")
    return "\n".join(lines)


def fields_table(model: type[BaseModel]) -> str:
    lines = ["| field | default | meaning |", "| --- | --- | --- |"]
    for name, field in model.model_fields.items():
        shown = field.alias or name
        lines.append(f"| `{shown}` | {_default(field)} | {field.description} |")
    return "\n".join(lines)


def _default(field: Any) -> str:  # noqa: ANN401 - pydantic's FieldInfo
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, BaseModel) or value in ({}, ""):
        return ""
    if hasattr(value, "total_seconds"):
        return f"`{duration_text(value)}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def groups_table() -> str:
    lines = ["| while this is open | these are not told |", "| --- | --- |"]
    for rule, hidden in HIDES.items():
        names = ", ".join(f"`{each.value}`" for each in Rule if each in hidden)
        lines.append(f"| `{rule.value}` | {names} |")
    return "\n".join(lines)


@pytest.mark.parametrize(
    "table",
    [
        rules_table,
        policies_table,
        lambda: fields_table(RuleSettings),
        lambda: fields_table(AlertSettings),
        lambda: fields_table(Flapping),
        lambda: fields_table(Maintenance),
        groups_table,
    ],
    ids=["rules", "policies", "rule", "alerts", "flapping", "maintenance", "groups"],
)
def test_the_page_says_what_the_code_says(table: Any) -> None:  # noqa: ANN401 - makes a table
    assert table() in page()


def test_the_example_on_the_page_is_a_valid_file(tmp_path: Path) -> None:
    example = page().split("```toml\n")[1].split("```")[0]
    assert tomllib.loads(example)["alerts"]
    (tmp_path / "bounty_ops.toml").write_text(example)
    (tmp_path / ".env.production").write_text("DATABASE_URL=postgresql://a@b/c?sslmode=require\n")
    settings = load_settings(tmp_path, {})
    assert settings.problems == ()
    found = settings.environment("production").alert_settings
    assert found.rule(Rule.BLOCKING).warning == 30
    assert set(found.maintenance) == {"sunday", "move"}
    assert settings.environment("staging").alert_settings.tell == "critical"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[alerts.rules.blockin]\nwarning = 1\n", "rules.blockin"),
        ('[alerts.rules.blocking]\nfor = "soon"\n', "rules.blocking.for"),
        ("[alerts.rules.blocking]\nwarnig = 1\n", "rules.blocking.warnig"),
        ("[alerts.rules]\nblocking = 1\n", "rules.blocking"),
        ("alerts = 1\n", "alerts"),
        ('[alerts.maintenance.x]\nreason = "r"\ncron = "0 3 * * sun"\n', "cron and lasts"),
        ('[alerts.maintenance.x]\nreason = "r"\ncron = "0 3 * *"\nlasts = "1h"\n', "five fields"),
        ('[environments.production.alerts]\ntell = "all"\n', "tell"),
    ],
)
def test_a_mistake_is_told_and_leaves_the_defaults_in_force(
    text: str, word: str, tmp_path: Path
) -> None:
    (tmp_path / "bounty_ops.toml").write_text(text)
    (tmp_path / ".env.production").write_text("DATABASE_URL=postgresql://a@b/c?sslmode=require\n")
    settings = load_settings(tmp_path, {})
    production = settings.environment("production")
    assert production.problem is None  # it is backed up all the same
    assert word in str(production.alerts_problem)
    assert settings.problems == (production.alerts_problem,)
    assert production.alert_settings == AlertSettings.of("production", Policy.of("production"))
