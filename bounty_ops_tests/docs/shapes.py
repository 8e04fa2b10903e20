"""Whether what a page shows beneath a command is what the command prints, as far as it can be.

What differs from run to run is not compared: ids, digests, moments, durations, sizes, ports. What
the page calls by such a name is called otherwise in the walk, so names are learnt from the output
and put into the commands that follow: a page reads like a session, and can be executed.
"""

from __future__ import annotations

import re
from typing import Final

#: Names that a later command may use.
NAMES: Final = re.compile(
    r"\b(?:\d{8}T\d{6}Z-[0-9a-f]{8}|[0-9a-f]{64}|[0-9a-f]{16}|[0-9a-f]{12}"
    r"|age1[0-9a-z]{58})\b"
)
_UNITS: Final = r"(?:ms|s|m|min|h|d|B|KiB|MiB|GiB|kB|MB|GB|bytes|seconds|minutes|hours|days|rows/s)"
_VARYING: Final = (
    (re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|\+00:00)?"), "<when>"),
    (re.compile(r"\b\d{8}T?\d{6}Z?\b"), "<when>"),
    (re.compile(r"\b\d{2}:\d{2}(?::\d{2})?\b"), "<when>"),
    (re.compile(rf"(?<![\w.])[\d.,]+ ?{_UNITS}\b"), "<amount>"),
    (re.compile(r"\b[\w.-]+:\d+/(?:bounty|test_[0-9a-f]{12})\b"), "<address>"),
    (re.compile(r"\b(?:bounty|test_[0-9a-f]{12})_before_\w+"), "<kept>"),
    (re.compile(r"database (?:bounty|test_[0-9a-f]{12})\b"), "database <name>"),
    (re.compile(r"s3://[^\s:]+"), "s3://<bucket>"),
    (re.compile(r"\b[a-z][\w-]*@[\w.-]+"), "<somebody>"),
)
_ELLIPSIS: Final = "..."


def shape(line: str) -> str:
    """The line with everything that varies replaced, and its columns as wide as they need be."""
    line = NAMES.sub("<name>", line)
    for pattern, replacement in _VARYING:
        line = pattern.sub(replacement, line)
    return re.sub(r"-{3,}|─+", "---", re.sub(r"\s+", " ", line)).strip()


def difference(shown: list[str], printed: list[str]) -> str | None:
    """The first line of the page that was not printed in its place; None: all were.

    A line ``...`` on the page stands for any number of lines.
    """
    at, anywhere = 0, False
    printed = [line for line in printed if line.strip()]
    for line in (line for line in shown if line.strip()):
        if line.strip() == _ELLIPSIS:
            anywhere = True
            continue
        while anywhere and at < len(printed) and shape(printed[at]) != shape(line):
            at += 1
        if at >= len(printed) or shape(printed[at]) != shape(line):
            there = printed[at] if at < len(printed) else "(the end)"
            return f"the page shows\n  {line}\nand the command prints\n  {there}"
        at, anywhere = at + 1, False
    if at < len(printed) and not anywhere:
        return f"the page does not show\n  {printed[at]}"
    return None


def names(shown: list[str], printed: list[str]) -> dict[str, str]:
    """What the page calls by a name of its own, and what it is called in this walk."""
    learnt: dict[str, str] = {}
    by_shape: dict[str, list[str]] = {}
    for line in printed:
        by_shape.setdefault(shape(line), []).append(line)
    for line in shown:
        candidates = by_shape.get(shape(line))
        if candidates:
            pairs = zip(NAMES.findall(line), NAMES.findall(candidates.pop(0)), strict=True)
            learnt.update({ours: theirs for ours, theirs in pairs if ours not in learnt})
    return learnt
