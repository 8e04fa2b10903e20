"""What was measured, for people: tables, charts, and a page without anything outside of it."""

from bounty_ops.monitoring.telling.charts import Line, line_chart
from bounty_ops.monitoring.telling.compose import compose
from bounty_ops.monitoring.telling.page import page
from bounty_ops.monitoring.telling.summary import summary
from bounty_ops.monitoring.telling.tables import FAMILY_OF, TABLES
from bounty_ops.monitoring.telling.view import Card, Chart, Table, View

__all__ = [
    "FAMILY_OF",
    "TABLES",
    "Card",
    "Chart",
    "Line",
    "Table",
    "View",
    "compose",
    "line_chart",
    "page",
    "summary",
]
