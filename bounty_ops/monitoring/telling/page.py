"""The report as one HTML file: styles and charts stand in it, and it loads nothing.

It holds no script, and its Content-Security-Policy forbids any: a table may well be named
``<script>``. Light or dark as the reader's system is; printed, it is black on white.
"""

from __future__ import annotations

from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.findings import Severity
from bounty_ops.monitoring.telling.summary import summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bounty_ops.monitoring.findings import Finding
    from bounty_ops.monitoring.telling.view import Card, Chart, Table, View

_TONES: Final = {
    Severity.CRITICAL: "bad",
    Severity.WARNING: "warn",
    Severity.UNKNOWN: "unknown",
    Severity.INFO: "faint",
}
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(view: View) -> str:
    """The whole file, in UTF-8."""
    name = escape(view.environment)
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    protected = ' <span class="protected">protected</span>' if view.protected else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{name}: report of {view.taken_at:%Y-%m-%d %H:%M} UTC</title>"
        f"<style>{style}</style></head>\n<body>\n"
        f"<h1>{name}{protected}</h1>"
        f'<p class="faint">Measured at {view.taken_at:%Y-%m-%d %H:%M:%S} UTC by bounty-ops</p>\n'
        f"{_cards(view.cards)}{_findings(view.findings)}{_charts(view.charts)}"
        f"{_tables(view.tables)}</body></html>\n"
    )


def _cards(cards: Iterable[Card]) -> str:
    drawn = "".join(
        f'<div class="card"><span class="faint">{escape(card.title)}</span>'
        f'<b class="{card.tone}">{escape(card.value)}</b>'
        f'<span class="faint">{escape(card.note)}</span></div>'
        for card in cards
    )
    return f'<div class="cards">{drawn}</div>\n'


def _findings(findings: Sequence[Finding]) -> str:
    rows = "".join(
        f'<tr><td class="{_TONES[one.severity]}">{one.severity.value}</td>'
        f"<td><b>{escape(one.title)}</b><br>{escape(one.evidence)}"
        f"<code>{escape(one.remedy)}</code></td></tr>"
        for one in findings
    )
    if not rows:
        return '<h2>Findings</h2><p class="good">Nothing deserves attention.</p>\n'
    said = summary(findings)
    told = f"<p>{escape(said[0].upper() + said[1:])}.</p>"
    return f"<h2>Findings, worst first</h2>{told}<table>{rows}</table>\n"


def _charts(charts: Iterable[Chart]) -> str:
    drawn = "".join(
        f'<div class="chart"><h3>{escape(chart.title)}</h3>'
        f"{chart.svg or '<p class=unknown>Nothing is known of it yet.</p>'}"
        f'<p class="faint">{escape(chart.note)}</p></div>'
        for chart in charts
    )
    return f'<h2>How it went</h2><div class="charts">{drawn}</div>\n' if drawn else ""


def _tables(tables: Iterable[Table]) -> str:
    return "".join(
        f"<h2>{escape(table.title)}</h2>{_table(table)}" for table in tables if table.rows
    )


def _table(table: Table) -> str:
    numbers = [column.startswith(">") for column in table.columns]
    kinds = [' class="number"' if number else "" for number in numbers]
    head = "".join(
        f"<th{kind}>{escape(column.removeprefix('>'))}</th>"
        for column, kind in zip(table.columns, kinds, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in table.rows
    )
    note = f'<p class="faint">{escape(table.note)}</p>' if table.note else ""
    return f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>{note}\n'
