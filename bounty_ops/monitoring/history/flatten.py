"""Taking measures apart: what is a number, what is a text, and how they lie in one another.

Numbers change from sample to sample; texts hardly do; the layout of both is the same for all
tables of a database, and for as long as the program is. So a sample is the number of a layout, the
number of its texts, and numbers. A layout describes itself: fields that a later version adds give
another one, and the old ones stay readable.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Number = int | float

#: The leaves of a layout. `null`, `true` and `false` stand for themselves.
INTEGER: Final = "i"
REAL: Final = "f"
TIME: Final = "t"
TEXT: Final = "s"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", re.ASCII)


class Flat(NamedTuple):
    """Measures, taken apart."""

    layout: str
    texts: str
    numbers: tuple[Number, ...]


@dataclass(frozen=True)
class Layout:
    """How numbers and texts lie in one another."""

    tree: Any
    kinds: tuple[str, ...]
    """Of each number: `INTEGER`, `REAL` or `TIME`."""
    paths: tuple[str, ...]
    """Of each number: the names of its fields, joined by dots."""


def flatten(measures: dict[str, Any]) -> Flat:
    """Take measures apart; `restore` puts them together again."""
    texts: list[Any] = []
    numbers: list[Number] = []
    tree = _take_apart(measures, texts, numbers)
    return Flat(_compact(tree), _compact(texts), tuple(numbers))


@lru_cache(maxsize=4096)
def layout_of(text: str) -> Layout:
    """Read a layout that `flatten` gave."""
    tree = json.loads(text)
    leaves = list(_leaves(tree, ()))
    return Layout(
        tree, tuple(kind for _, kind in leaves), tuple(".".join(path) for path, _ in leaves)
    )


def restore(layout: Layout, texts: str, numbers: Sequence[Number]) -> Any:  # noqa: ANN401 - JSON
    """Put together again what `flatten` took apart."""
    return _put_together(layout.tree, iter(json.loads(texts)), iter(numbers))


def _take_apart(value: Any, texts: list[Any], numbers: list[Number]) -> Any:  # noqa: ANN401 - JSON
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        numbers.append(value)
        return INTEGER if isinstance(value, int) else REAL
    if isinstance(value, str) and (moment := _microseconds(value)) is not None:
        numbers.append(moment)
        return TIME
    if isinstance(value, dict):
        return {key: _take_apart(each, texts, numbers) for key, each in value.items()}
    if isinstance(value, list) and any(isinstance(each, dict | int | float) for each in value):
        return [_take_apart(each, texts, numbers) for each in value]
    texts.append(value)
    return TEXT


def _put_together(tree: Any, texts: Iterator[Any], numbers: Iterator[Number]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(tree, dict):
        return {key: _put_together(each, texts, numbers) for key, each in tree.items()}
    if isinstance(tree, list):
        return [_put_together(each, texts, numbers) for each in tree]
    if tree == TEXT:
        return next(texts)
    if tree == TIME:
        return _moment(int(next(numbers)))
    return next(numbers) if isinstance(tree, str) else tree


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:  # noqa: ANN401 - JSON
    """The places of numbers."""
    if isinstance(tree, dict):
        for key, each in tree.items():
            yield from _leaves(each, (*path, key))
    elif isinstance(tree, list):
        for position, each in enumerate(tree):
            yield from _leaves(each, (*path, str(position)))
    elif isinstance(tree, str) and tree != TEXT:
        yield path, tree


def _microseconds(text: str) -> int | None:
    """A time as pydantic writes it, as a number; None if the text would not come back equal."""
    if not _TIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    number = (moment - _EPOCH) // timedelta(microseconds=1)
    return number if _moment(number) == text else None


def _moment(microseconds: int) -> str:
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat().replace("+00:00", "Z")


def _compact(value: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps(value, separators=(",", ":"))
