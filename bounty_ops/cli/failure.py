"""A failure in two lines: what happened, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from bounty_ops.errors import BountyOpsError, diagnosis_of

if TYPE_CHECKING:
    from collections.abc import Callable

DONE = 0
FOUND = 1
WRONG_USAGE = 2
NOT_CARRIED_OUT = 3
INTERRUPTED = 130
TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP arrived: clean up as after Ctrl-C, and say so in the exit code."""


@dataclass(frozen=True)
class Failure:
    """What is told about an error."""

    message: str
    hint: str
    exit_code: int
    diagnosis: str | None = None
    """The cause of a database's error, as in `docs/reference/errors.md`."""

    def shown_through(self, hide: Callable[[str], str]) -> Failure:
        """The same with what must not be shown hidden."""
        return replace(self, message=hide(self.message), hint=hide(self.hint))

    def document(self) -> dict[str, object]:
        """The JSON document that stands in for the answer."""
        told = {"message": self.message, "hint": self.hint, "exit_code": self.exit_code}
        known = {} if self.diagnosis is None else {"diagnosis": self.diagnosis}
        return {"error": {**told, **known}}


def describe(error: BaseException) -> Failure:
    """Put any error into two lines and an exit code."""
    if isinstance(error, BountyOpsError):
        told = _failure(str(error), error.hint, error.exit_code)
        return replace(told, diagnosis=diagnosis_of(error))
    if isinstance(error, click.ClickException):
        return _failure(_what_click_says(error), _where_help_is(error), WRONG_USAGE)
    if isinstance(error, Terminated):
        return _failure("stopped from outside", _AFTER_A_STOP, TERMINATED)
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return _failure("interrupted", _AFTER_A_STOP, INTERRUPTED)
    return _failure(
        f"unexpected {type(error).__name__}: {error}",
        "This is a defect of bounty-ops: run the command again with --debug and report what it "
        "prints.",
        NOT_CARRIED_OUT,
    )


_AFTER_A_STOP = "What was under way was taken back; run the command again when you like."


def _what_click_says(error: click.ClickException) -> str:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return "Missing command."  # its own text is the whole help
    return error.format_message()


def _where_help_is(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"See `{context.command_path if context else 'bounty-ops'} --help`."


def _failure(message: str, hint: str, exit_code: int) -> Failure:
    return Failure(one_line(message), one_line(hint), exit_code)


def one_line(text: str) -> str:
    """`text` on one line and without control characters (a server may send either)."""
    words = " ".join(text.split())
    return "".join(letter if letter.isprintable() else "?" for letter in words)
