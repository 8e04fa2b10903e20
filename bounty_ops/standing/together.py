"""Asking several at once, and waiting for none of them longer than all may take."""

from __future__ import annotations

from concurrent.futures import Future, wait
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from bounty_ops.errors import BountyOpsError, ServerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

K = TypeVar("K", bound="Hashable")
R = TypeVar("R")


def together(
    questions: Mapping[K, Callable[[], R]], *, within_seconds: float
) -> dict[K, R | BountyOpsError]:
    """Ask all at the same time; an answer is what came, or the error of ours that came instead.

    Who has not answered in time gets `ServerUnavailable`. Its thread is left behind as a daemon:
    a pool of threads would be waited for when the program ends. Any other exception is a defect
    and is raised.
    """
    asked: dict[K, Future[R | BountyOpsError]] = {key: Future() for key in questions}
    for key, question in questions.items():
        Thread(target=_answer, args=(asked[key], question), daemon=True).start()
    wait(asked.values(), timeout=within_seconds)
    silent = _silent(within_seconds)
    return {key: future.result() if future.done() else silent for key, future in asked.items()}


def _answer(future: Future[R | BountyOpsError], question: Callable[[], R]) -> None:
    try:
        future.set_result(question())
    except BountyOpsError as error:
        future.set_result(error)
    except BaseException as error:  # noqa: BLE001 - raised where the answer is waited for
        future.set_exception(error)


def _silent(seconds: float) -> ServerUnavailable:
    return ServerUnavailable(
        f"no answer within {seconds:g} s",
        hint="Look whether the server is up, and whether something between here and there "
        "swallows what is sent.",
    )
