"""What ends a drill before the copy can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bounty_ops.journal.records import Difference


class Inconclusive(Exception):  # noqa: N818 - a verdict, not an error of this program
    """The drill itself failed; it says nothing about the backup."""


class Refuted(Exception):  # noqa: N818 - a verdict, not an error of this program
    """The backup cannot be what its manifest says."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(difference.object)
        self.difference = difference
