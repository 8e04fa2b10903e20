"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops import __version__
from bounty_ops.migrating.lint.rulebook import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bounty_ops.migrating.lint.finding import Finding

_LEVELS: Final = {"error": "error", "warning": "warning", "advice": "note"}
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Mapping[str, Sequence[Finding]]) -> dict[str, object]:
    """A SARIF log of one run; the keys are the files that the findings are in."""
    used = sorted({each.rule for found in findings.values() for each in found})
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "bounty-ops",
                        "version": __version__,
                        "rules": [_rule(name) for name in used],
                    }
                },
                "results": [
                    _result(file, each, used.index(each.rule))
                    for file, found in findings.items()
                    for each in found
                ],
            }
        ],
    }


def _rule(name: str) -> dict[str, object]:
    rule = RULES[name]
    return {
        "id": name,
        "shortDescription": {"text": name.replace("-", " ")},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
    }


def _result(file: str, finding: Finding, index: int) -> dict[str, object]:
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.level],
        "message": {"text": f"{finding.message} {finding.remedy}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": file},
                    "region": {"startLine": finding.line},
                }
            }
        ],
    }
