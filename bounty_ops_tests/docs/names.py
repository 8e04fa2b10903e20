"""Names that pages mention: settings, variables, columns, rules, metrics, tests, jobs.

A name is written as code and looks like one (`two_words`, `two-words`, `TWO_WORDS`). Whoever
reads it looks for it, so it has to be there: in the program, in its tests or in PostgreSQL.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING, Final

from bounty_ops.environments.object_storage import COPY_NAMES, VariableNames
from bounty_ops.monitoring.metrics import METRICS
from bounty_ops_tests.docs.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM: Final = (
    "bounty_ops/**/*.py", "bounty_ops/**/*.sql", "bounty_ops/**/*.html", "bounty_ops/**/*.js",
    "migrations/**/*.py", "migrations/**/*.sql", "examples/**/*.*", "dagster.yaml",
)  # fmt: skip
_INLINE: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_NAME: Final = re.compile(r"(?<![\w.-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?!\w)")
#: A rule of the linter, a unit of systemd, a package.
_HYPHENATED: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+")
_VARIABLE: Final = re.compile(r"(?<![\w.$-])\$?\{?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![\w*])")
_ENVIRONMENT: Final = re.compile(r"^(?:development|staging|production)_")


def names_in(text: str) -> Iterator[str]:
    """Those of settings, columns, jobs and the like, where they are marked as code."""
    for code in _INLINE.findall(text):
        yield from _NAME.findall(code)
        if _HYPHENATED.fullmatch(code):
            yield code


def variables_in(text: str) -> Iterator[str]:
    """Those of variables, wherever they stand."""
    yield from _VARIABLE.findall(text)


@cache
def known_names() -> frozenset[str]:
    """Every word of the program, its metrics, and what tests and their modules are called."""
    tests = ROOT / "bounty_ops_tests"
    modules = [*tests.glob("**/test_*.py"), *ROOT.glob("benchmarks/*.py")]
    found = {each.stem for each in modules} | {tests.name}
    for path in tests.glob("**/test_*.py"):
        found |= set(re.findall(r"^def (test_\w+)\(", path.read_text("utf-8"), re.MULTILINE))
    for form in _PROGRAM:
        for path in ROOT.glob(form):
            text = path.read_text("utf-8", errors="replace")
            found |= {path.stem, *re.findall(r"[a-z]\w+", text), *_HYPHENATED.findall(text)}
    return frozenset(found | {one.full_name for one in METRICS})


def is_known(name: str) -> bool:
    """Whether the program has it, by itself or for an environment (`production_nightly`)."""
    return name in known_names() or _ENVIRONMENT.sub("", name) in known_names()


@cache
def known_variables() -> frozenset[str]:
    """Those that are read: whole strings of the program, and what its two buckets' are made of."""
    found = {value for each in (VariableNames(), COPY_NAMES) for value in vars(each).values()}
    for path in ROOT.glob("bounty_ops/**/*.py"):
        nodes = ast.walk(ast.parse(path.read_text("utf-8")))
        found |= {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    dagster = (ROOT / "dagster.yaml").read_text("utf-8")
    return frozenset(found | set(re.findall(r"env: (\w+)", dagster)))
