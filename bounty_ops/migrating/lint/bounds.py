"""The bounds of partitions, and whether two of them overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pglast import ast, parse_sql
from pglast.parser import ParseError

from bounty_ops.migrating.lint.proofs import value_of

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.tree import Node

_LEAST: Final = (-1, 0.0, "")
_GREATEST: Final = (9, 0.0, "")
_Key = tuple[int, float, str]


@dataclass(frozen=True)
class Bound:
    """What a partition by one column holds: a range, or a list of values."""

    lower: _Key | None = None
    upper: _Key | None = None
    values: frozenset[str] = frozenset()
    default: bool = False

    def overlaps(self, other: Bound) -> bool:
        """Whether a value would belong to both; where they cannot be compared, not."""
        if self.default or other.default:
            return self.default and other.default
        if self.values & other.values:
            return True
        if not (self.lower and self.upper and other.lower and other.upper):
            return False
        kinds = {self.lower[0], self.upper[0], other.lower[0], other.upper[0]}
        if len(kinds - {_LEAST[0], _GREATEST[0]}) > 1:
            return False
        return self.lower < other.upper and other.lower < self.upper


def read_bound(node: Node) -> Bound | None:
    """The bound that a PartitionBoundSpec says; of several columns none that could be compared."""
    if node is None:
        return None
    if node.is_default:
        return Bound(default=True)
    if node.strategy == "l":
        return Bound(values=frozenset(value_of(each) for each in node.listdatums or ()))
    if node.strategy == "r" and len(node.lowerdatums or ()) == 1 and len(node.upperdatums) == 1:
        return Bound(_key(node.lowerdatums[0]), _key(node.upperdatums[0]))
    return None


def parse_bound(text: str | None) -> Bound | None:
    """The bound that `pg_get_expr(relpartbound)` spelled."""
    if not text:
        return None
    try:
        [statement] = parse_sql(f"ALTER TABLE p ATTACH PARTITION c {text}")
    except (ParseError, ValueError):
        return None
    command: Node = statement.stmt
    return read_bound(command.cmds[0].def_.bound)


def _key(node: Node) -> _Key:
    if isinstance(node, ast.PartitionRangeDatum):
        node = node.value
    if isinstance(node, ast.ColumnRef):
        return _LEAST if "minvalue" in value_of(node).lower() else _GREATEST
    text = value_of(node)
    try:
        return (0, float(text), "")
    except ValueError:
        return (1, 0.0, text)
