"""How long somebody had to wait, and because of which statement: arithmetic on spans of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["read", "write"]


@dataclass(frozen=True)
class Span:
    """From one moment of the monotonic clock to another."""

    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return max(0.0, self.ended - self.began)

    def within(self, other: Span) -> Span:
        """The part of it that lies in another one."""
        return Span(max(self.began, other.began), min(self.ended, other.ended))


@dataclass(frozen=True)
class Wait:
    """A probe that the server itself says had to wait for a lock."""

    table: str
    kind: Kind
    span: Span


def longest(waits: Iterable[Wait], kind: Kind, during: Span | None = None) -> float:
    """The longest wait of a kind, or the longest part of one in a span.

    A transaction keeps its locks, so a wait that a first statement began goes on through the
    next ones: each is charged with the part that fell into it, and the whole is what a user of
    the application would have noticed.
    """
    spans = (wait.span for wait in waits if wait.kind == kind)
    clipped = (span if during is None else span.within(during) for span in spans)
    return max((span.seconds for span in clipped), default=0.0)
