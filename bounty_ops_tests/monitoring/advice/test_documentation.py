"""The page of findings says what the code does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import bounty_ops.monitoring
from bounty_ops.monitoring.advice.kinds import KINDS

PAGE = Path(__file__).parents[3] / "docs/reference/findings.md"


def test_every_kind_is_on_the_page_in_order_with_condition_and_source() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == [(name, *kind) for name, kind in KINDS.items()]


def test_every_kind_that_the_code_makes_is_known_and_the_other_way_round() -> None:
    package = Path(bounty_ops.monitoring.__file__).parent
    made = {
        keyword.value.value
        for source in package.rglob("*.py")
        for call in ast.walk(ast.parse(source.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", None) == "Finding"
        for keyword in call.keywords
        if keyword.arg == "kind" and isinstance(keyword.value, ast.Constant)
    }
    assert made == set(KINDS)
