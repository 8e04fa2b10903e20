"""Examining several things at the same time, and telling each answer as soon as it is its turn.

One thing that never answers (a bucket behind a firewall that swallows packets, a name server that
is silent) must not keep the others from being told, and one that is slow need not be waited for
before the next begins.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from bounty_ops.doctor.result import CheckResult, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


@dataclass(frozen=True)
class Examination:
    """All checks of one subject that have to be made one after the other."""

    subject: str
    names: tuple[str, ...]
    """The checks that it answers, in their order."""
    answers: Callable[[], Iterable[CheckResult]]
    decisive: str | None = None
    """The check that says whether it answers at all: no answer to that one is a failure."""


def side_by_side(
    examinations: Sequence[Examination], *, within_seconds: float
) -> Iterator[CheckResult]:
    """Make all of them at once; the answers come in the order of the examinations.

    What is not answered within that time of the beginning is told as such. Its thread is left
    behind as a daemon: nothing can end a call that waits for a name server. An exception that is
    none of a check is a defect, and is raised.
    """
    begun = [(each, _begin(each)) for each in examinations]
    deadline = time.monotonic() + within_seconds
    for examination, answers in begun:
        yield from _told(examination, answers, deadline, within_seconds)


#: A check's answer; what went wrong with an examination; None: all was answered.
_Answers = SimpleQueue[CheckResult | BaseException | None]


def _begin(examination: Examination) -> _Answers:
    answers: _Answers = SimpleQueue()

    def examine() -> None:
        try:
            for each in examination.answers():
                answers.put(each)
            answers.put(None)
        except BaseException as error:  # noqa: BLE001 - raised where the answers are waited for
            answers.put(error)

    Thread(target=examine, name=f"doctor {examination.subject}", daemon=True).start()
    return answers


def _told(
    examination: Examination, answers: _Answers, deadline: float, within_seconds: float
) -> Iterator[CheckResult]:
    told: set[str] = set()
    while True:
        try:
            answer = answers.get(timeout=max(deadline - time.monotonic(), 0))
        except Empty:
            yield from _untold(examination, told, within_seconds)
            return
        if answer is None:
            return
        if isinstance(answer, BaseException):
            raise answer
        told.add(answer.name)
        yield answer


def _untold(
    examination: Examination, told: set[str], within_seconds: float
) -> Iterator[CheckResult]:
    for name in examination.names:
        if name not in told:
            yield CheckResult(
                name,
                examination.subject,
                State.FAILED if name == examination.decisive else State.UNKNOWN,
                f"no answer within {within_seconds:g} s",
                "Look whether it is up, and whether something between here and there (a firewall, "
                "a name server) swallows what is sent.",
            )
