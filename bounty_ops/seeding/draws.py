"""Deterministic chance: streams of draws, permutations and shares that a seed alone decides.

Two rules keep the data the same on every Python, platform and run. Only `random()` and
`getrandbits()` of the standard generator are used, because nothing else of it is promised to stay
as it is; and fractions meet only multiplication, division and square roots, which IEEE 754 rounds
the same way everywhere (`pow` does not).
"""

from __future__ import annotations

from math import gcd, sqrt
from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")

_GOLDEN = 0.6180339887498949


class Draws:
    """One stream of draws, independent of every stream of another name."""

    __slots__ = ("unit",)

    def __init__(self, seed: int, name: str) -> None:
        # Not a secret, not a lottery: sample data.
        self.unit: Callable[[], float] = Random(f"{seed}/{name}").random  # noqa: S311

    def below(self, limit: int) -> int:
        """Draw any of 0 .. limit - 1, all alike."""
        return int(self.unit() * limit)

    def between(self, low: int, high: int) -> int:
        """Draw any of low .. high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def head(self, limit: int) -> int:
        """Draw a rank: the first percent of them takes a fifth of all draws, the first tenth half.

        That is how bounties fall to users: a few of them own many.
        """
        unit = self.unit()
        return int(unit * unit * unit * limit)

    def pick(self, pool: Sequence[T]) -> T:
        """Draw a member of a pool."""
        return pool[int(self.unit() * len(pool))]

    def chance(self, share: float) -> bool:
        """Say yes in that share of the cases."""
        return self.unit() < share


class Permutation:
    """A fixed shuffle of 0 .. size - 1 that is computed, not stored."""

    __slots__ = ("_offset", "_step", "size")

    def __init__(self, seed: int, name: str, size: int) -> None:
        self.size = size
        self._step = coprime_step(size)
        self._offset = Draws(seed, name).below(max(size, 1))

    def __call__(self, rank: int) -> int:
        """Give the member at that rank; ranks wrap around."""
        return (self._offset + rank * self._step) % self.size


def coprime_step(size: int) -> int:
    """Find a step near the golden ratio whose multiples visit everything below `size`."""
    step = max(1, int(size * _GOLDEN))
    while gcd(step, size) != 1:
        step += 1
    return step


def shares(total: int, parents: int, *, cap: int) -> Iterator[int]:
    """Deal `total` children to parents by rank, the first ones most, nobody more than `cap`.

    The counts sum to `total` exactly and take no memory. With r parents so far out of n, about
    (r / n) ** 3/8 of the children are dealt.

    Raises:
        ValueError: so many children do not fit.
    """
    dealt = 0
    for rank in range(1, parents + 1):
        fraction = rank / parents
        wanted = total * sqrt(sqrt(fraction * sqrt(fraction)))
        count = min((total if rank == parents else int(wanted)) - dealt, cap)
        dealt += count
        yield count
    if dealt != total:
        message = f"{total} children do not fit under {parents} parents with at most {cap} each"
        raise ValueError(message)


def evenly(items: Iterable[T], available: int, wanted: int) -> Iterator[T]:
    """Take exactly `wanted` of the `available` items, spread over all; repeat some if too few."""
    for index, item in enumerate(items):
        for _ in range((index + 1) * wanted // available - index * wanted // available):
            yield item
