"""The heads of the pages in docs/runbooks: what the code itself says of each rule.

``python -m bounty_ops_tests.docs.runbooks`` writes them, above what people wrote; a test compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.alerting import Rule
from bounty_ops.alerting.grouping import HIDES
from bounty_ops.alerting.rules import evaluate
from bounty_ops.environments import AlertSettings, Policy
from bounty_ops.environments.alert_rules import DEFAULTS
from bounty_ops.environments.durations import duration_text
from bounty_ops.monitoring.findings import size
from bounty_ops_tests.alerting.test_default_rules import CASES
from bounty_ops_tests.docs.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.alerting import Finding
    from bounty_ops.environments.alerts import RuleSettings

DIRECTORY: Final = ROOT / "docs" / "runbooks"
MARK: Final = "<!-- Up to here made by `python -m bounty_ops_tests.docs.runbooks`. -->"
#: Where SQL of these pages is typed.
PSQL: Final = 'psql "$(bounty-ops db url -e production --show-password)"'
#: What people write below, in this order.
SECTIONS: Final = (
    "## What it means",
    "## How to see it",
    "## What to do",
    "## How to stop it from coming back",
)


def page_of(rule: Rule) -> Path:
    """Where the page of a rule is."""
    return DIRECTORY / f"{rule.value}.md"


def head(rule: Rule) -> str:
    """The first part of a page, to the mark that ends it."""
    settings = AlertSettings.of("production", Policy(protected=True)).rule(rule)
    lines = [
        f"# {rule.value}",
        "",
        f"Fires when {DEFAULTS[rule].means}.",
        "",
        f"In production: {_goes_by(settings, DEFAULTS[rule].unit)}.",
        *_kept_quiet(rule),
        "",
        "The message, for example:",
        "",
        "```text",
        *_said(example(rule)),
        "```",
        "",
        *_how_to_run_sql(rule),
        MARK,
    ]
    return "\n".join(lines) + "\n"


def _how_to_run_sql(rule: Rule) -> list[str]:
    page = page_of(rule)
    if not page.exists() or "```sql" not in page.read_text(encoding="utf-8"):
        return []
    return [f"SQL below is for `{PSQL}`.", ""]


def example(rule: Rule) -> Finding:
    """The gravest finding of this rule that its own tests know."""
    found = [
        each
        for make, severity, _ in CASES[rule]
        if severity is not None
        for each in evaluate(make()).firing
        if each.rule is rule
    ]
    return max(found, key=lambda each: each.severity.rank)


def _goes_by(settings: RuleSettings, unit: str) -> str:
    found = [f"at most {settings.severity}"]
    for name in ("warning", "critical"):
        value = getattr(settings, name)
        if value is not None:
            shown = size(value) if unit == "bytes" else f"{value:,g} {unit}"
            found.append(f"`{name}` {shown}")
    if settings.for_:
        found.append(f"told once it has lasted {duration_text(settings.for_)}")
    return ", ".join(found)


def _kept_quiet(rule: Rule) -> list[str]:
    causes = [cause.value for cause, hidden in HIDES.items() if rule in hidden]
    if not causes:
        return []
    links = " or ".join(f"[{cause}]({cause}.md)" for cause in causes)
    return [f"Not told while {links} is open: it follows from that."]


def _said(finding: Finding) -> list[str]:
    return [f"{finding.severity.value}: {finding.title}", "", *finding.body.splitlines()]


def index() -> str:
    """The list of all pages."""
    lines = [
        "# Runbooks",
        "",
        "One page for each [alert rule](../reference/alerts.md): what it means, how to see it,",
        "what to do, and how to stop it from coming back. Messages name the page; `runbook` in",
        "`[alerts]` says where your copy of it is.",
        "",
        "Not sure where to begin? This says what is wrong now, gravest first:",
        "",
        "<!-- exit: 0 or 1 -->",
        "```console",
        "$ bounty-ops alerts list -e production",
        "$ bounty-ops monitor report -e production",
        "```",
        "",
        "Pages speak of `production`; put the environment of your message in its place. SQL is for",
        f"`{PSQL}`: everything else than `SELECT` needs a",
        "role that may do it, and to end somebody's session, `pg_signal_backend`.",
        "",
        "| rule | fires when |",
        "| --- | --- |",
        *(f"| [{rule.value}]({rule.value}.md) | {DEFAULTS[rule].means} |" for rule in Rule),
        "",
        "```{toctree}",
        ":hidden:",
        "",
        *(rule.value for rule in Rule),
        "```",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the heads anew, and leave everything below."""
    for rule in Rule:
        page = page_of(rule)
        below = page.read_text(encoding="utf-8").partition(MARK)[2].lstrip("\n")
        page.write_text(f"{head(rule)}\n{below}", encoding="utf-8")
    (DIRECTORY / "index.md").write_text(index(), encoding="utf-8")


if __name__ == "__main__":
    main()
